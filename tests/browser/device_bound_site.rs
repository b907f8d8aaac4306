//! A site whose sessions are bound to the device, over TLS, and a browser on it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{Html, Redirect, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Clock as _, Error, Session, SessionData, SessionSlot, Sessions, SystemClock,
    backend::{self, Memory},
    session,
    testing::ManualClock,
};
use session_tests::{
    Browser,
    secure::{Certificate, ServedSecurely, serve_securely},
    tools, wait,
};
use tokio::process::Command;

pub(crate) const NAME: &str = "__Host-member";
pub(crate) const DEVICE: &str = "__Host-member-device";
const PATH: &str = "/.session/member/device";
const GUESTS_PATH: &str = "/.session/guest/device";

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound)]
struct Member {
    name: String,
    visits: u32,
}

#[session(optional)]
async fn login(slot: SessionSlot<Member>) -> Result<Redirect, Error> {
    slot.start(Member { name: "ann".into(), visits: 0 }).await?;
    Ok(Redirect::to("/me"))
}

#[session(protected)]
async fn me(member: &Member) -> Html<String> {
    Html(format!("<!doctype html><p id=who>{}</p>", member.name))
}

#[session(protected)]
async fn visit(member: &mut Member) -> String {
    member.visits += 1;
    member.visits.to_string()
}

#[session(protected)]
async fn device(member: Session<Member>) -> String {
    format!("{:?}", member.device())
}

#[session(protected)]
async fn rotate(mut member: Session<Member>) -> Result<(), Error> {
    member.rotate_id().await
}

#[session(protected)]
async fn logout(member: Session<Member>) -> Result<(), Error> {
    member.end().await
}

#[session(protected, device = "1m")]
async fn pay(member: &mut Member, body: String) -> String {
    format!("{} pays {body}", member.name)
}

/// A type whose logout clears the site, and the binding with it.
#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, clear_site_data)]
struct Guest {
    name: String,
}

#[session(optional)]
async fn enter(slot: SessionSlot<Guest>) -> Result<Html<&'static str>, Error> {
    slot.start(Guest { name: "gil".into() }).await?;
    Ok(Html("<!doctype html><p id=who>gil</p>"))
}

#[session(protected)]
async fn guest(guest: &Guest) -> String {
    guest.name.clone()
}

#[session(protected)]
async fn leave(guest: Session<Guest>) -> Result<(), Error> {
    guest.end().await
}

async fn start() -> Html<&'static str> {
    Html("<!doctype html><form method=post action=/login><button>Log in</button></form>")
}

/// What came to the device's route: `register` or `refresh`, and the status of its answer.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(&'static str, u16)>>>);

impl Log {
    pub(crate) fn all(&self) -> Vec<(&'static str, u16)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn count(&self, kind: &str, status: u16) -> usize {
        self.all().iter().filter(|entry| **entry == (kind, status)).count()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

async fn note(State(log): State<Log>, request: Request, next: Next) -> Response {
    let noted = [PATH, GUESTS_PATH].contains(&request.uri().path());
    let kind = if request.headers().contains_key("sec-secure-session-id") { "refresh" } else { "register" };
    let response = next.run(request).await;
    if noted {
        log.0.lock().unwrap_or_else(PoisonError::into_inner).push((kind, response.status().as_u16()));
    }
    response
}

/// A site at a host of its own, since each site has its own quota of signatures.
pub(crate) struct Site {
    pub(crate) host: &'static str,
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) certificate: Certificate,
    pub(crate) log: Log,
    pub(crate) server: Option<ServedSecurely>,
    pub(crate) port: u16,
    pub(crate) browser: Browser,
}

/// Where the sessions are, whichever process asks.
pub(crate) enum Store {
    Memory(Arc<Memory>),
    Redis(session_tests::Redis),
}

async fn open<T: SessionData>(store: &Store, clock: &ManualClock) -> Sessions<T> {
    let key = format!("{}A=", "k".repeat(42));
    let builder = Sessions::<T>::builder().key(&key).clock(clock.clone());
    let builder = match store {
        Store::Memory(memory) => builder.shared_backend(Arc::clone(memory)),
        Store::Redis(redis) => builder.backend(backend::Redis::new(&redis.url(), "test:").unwrap()),
    };
    builder.open().await.unwrap()
}

async fn router(store: &Store, clock: &ManualClock, log: &Log) -> Router {
    let (sessions, guests) = (open::<Member>(store, clock).await, open::<Guest>(store, clock).await);
    let of_guests = Router::new()
        .route("/enter", get(enter))
        .route("/guest", get(guest))
        .route("/leave", post(leave))
        .merge(guests.device_routes())
        .with_state(guests);
    Router::new()
        .merge(of_guests)
        .route("/", get(start))
        .route("/login", post(login).get(login))
        .route("/me", get(me))
        .route("/visit", post(visit).get(visit))
        .route("/device", get(device))
        .route("/rotate", post(rotate))
        .route("/logout", post(logout))
        .route("/pay", post(pay))
        .merge(sessions.device_routes())
        .layer(middleware::from_fn_with_state(log.clone(), note))
        .with_state(sessions)
}

impl Site {
    pub(crate) async fn at(host: &'static str, flags: impl FnOnce(&Certificate) -> Vec<String>) -> Self {
        Self::with(Store::Memory(Arc::default()), host, flags).await
    }

    pub(crate) async fn with(
        store: Store,
        host: &'static str,
        flags: impl FnOnce(&Certificate) -> Vec<String>,
    ) -> Self {
        let (clock, log) = (ManualClock::at(SystemClock.now()), Log::default());
        let certificate = Certificate::new();
        let server = serve_securely(router(&store, &clock, &log).await, &certificate, 0).await;
        let browser = Browser::start_with(&flags(&certificate)).await;
        Self { host, store, clock, certificate, log, port: server.port(), server: Some(server), browser }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", self.host, self.port)
    }

    /// Logs in by the form: a POST that is answered with a 303.
    pub(crate) async fn log_in(&self) {
        self.browser.open(&self.url("/")).await;
        self.browser.click("button").await;
        assert_eq!(self.browser.text("#who").await, "ann");
    }

    pub(crate) async fn bound(host: &'static str) -> Self {
        let site = Self::at(host, Certificate::flags).await;
        site.log_in().await;
        site.is_bound().await;
        site
    }

    /// Waits until the browser has registered its key.
    pub(crate) async fn is_bound(&self) {
        let registered = async || self.log.count("register", 200) == 1;
        wait::until(wait::ANSWER, "the browser registers a key", registered).await;
        // The answer is on its way to the browser.
        wait::until(wait::ANSWER, "the browser has the device's cookie", async || self.cookie(DEVICE).await.is_some())
            .await;
        self.log.clear();
    }

    pub(crate) async fn cookie(&self, name: &str) -> Option<String> {
        self.browser.get_named_cookie(name).await.ok().map(|cookie| cookie.value)
    }

    pub(crate) async fn lose_the_devices_cookie(&self) {
        self.browser.delete_cookie(DEVICE).await.unwrap();
        assert_eq!(self.cookie(DEVICE).await, None);
    }

    /// What a script of the site's page gets.
    pub(crate) async fn fetch(&self, method: &str, path: &str) -> String {
        let script =
            format!("fetch('{path}', {{ method: '{method}' }}).then(a => a.text().then(t => a.status + ' ' + t))");
        self.browser.evaluate(&script).await
    }

    /// What a thief gets with these cookies, by curl.
    pub(crate) async fn stolen(&self, cookie: &str, path: &str) -> String {
        let curl = tools::CURL.find().expect("curl is installed: run `cargo xtask setup`");
        let mut command = Command::new(curl);
        command.args(["-q", "-s", "-k", "--noproxy", "*", "-o", "-", "-w", " %{http_code}"]);
        command.arg("--resolve").arg(format!("{}:{}:127.0.0.1", self.host, self.port));
        command.arg("-b").arg(cookie).arg(self.url(path));
        let output = wait::within(wait::ANSWER, "curl ends", command.output()).await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Another process takes the place of this one: the same store, another memory.
    pub(crate) async fn restart_server(&mut self) {
        drop(self.server.take());
        let router = router(&self.store, &self.clock, &self.log).await;
        let free = async || tokio::net::TcpListener::bind(("127.0.0.1", self.port)).await.is_ok();
        wait::until(wait::ANSWER, "the port is free", free).await;
        self.server = Some(serve_securely(router, &self.certificate, self.port).await);
    }
}
