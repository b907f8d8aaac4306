//! `device_bound` in Chromium, over TLS: what the browser does by itself, and what a thief gets.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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

const NAME: &str = "__Host-member";
const DEVICE: &str = "__Host-member-device";
const PATH: &str = "/.session/member/device";

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

async fn start() -> Html<&'static str> {
    Html("<!doctype html><form method=post action=/login><button>Log in</button></form>")
}

/// What came to the device's route: `register` or `refresh`, and the status of its answer.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(&'static str, u16)>>>);

impl Log {
    fn all(&self) -> Vec<(&'static str, u16)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, kind: &str, status: u16) -> usize {
        self.all().iter().filter(|entry| **entry == (kind, status)).count()
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

async fn note(State(log): State<Log>, request: Request, next: Next) -> Response {
    let noted = request.uri().path() == PATH;
    let kind = if request.headers().contains_key("sec-secure-session-id") { "refresh" } else { "register" };
    let response = next.run(request).await;
    if noted {
        log.0.lock().unwrap_or_else(PoisonError::into_inner).push((kind, response.status().as_u16()));
    }
    response
}

/// A site at a host of its own, since each site has its own quota of signatures.
struct Site {
    host: &'static str,
    store: Store,
    clock: ManualClock,
    certificate: Certificate,
    log: Log,
    server: Option<ServedSecurely>,
    port: u16,
    browser: Browser,
}

/// Where the sessions are, whichever process asks.
enum Store {
    Memory(Arc<Memory>),
    Redis(session_tests::Redis),
}

async fn router(store: &Store, clock: &ManualClock, log: &Log) -> Router {
    let key = format!("{}A=", "k".repeat(42));
    let builder = Sessions::<Member>::builder().key(&key).clock(clock.clone());
    let builder = match store {
        Store::Memory(memory) => builder.shared_backend(Arc::clone(memory)),
        Store::Redis(redis) => builder.backend(backend::Redis::new(&redis.url(), "test:").unwrap()),
    };
    let sessions = builder.open().await.unwrap();
    Router::new()
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
    async fn at(host: &'static str, flags: impl FnOnce(&Certificate) -> Vec<String>) -> Self {
        Self::with(Store::Memory(Arc::default()), host, flags).await
    }

    async fn with(store: Store, host: &'static str, flags: impl FnOnce(&Certificate) -> Vec<String>) -> Self {
        let (clock, log) = (ManualClock::at(SystemClock.now()), Log::default());
        let certificate = Certificate::new();
        let server = serve_securely(router(&store, &clock, &log).await, &certificate, 0).await;
        let browser = Browser::start_with(&flags(&certificate)).await;
        Self { host, store, clock, certificate, log, port: server.port(), server: Some(server), browser }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", self.host, self.port)
    }

    /// Logs in by the form: a POST that is answered with a 303.
    async fn log_in(&self) {
        self.browser.open(&self.url("/")).await;
        self.browser.click("button").await;
        assert_eq!(self.browser.text("#who").await, "ann");
    }

    async fn bound(host: &'static str) -> Self {
        let site = Self::at(host, Certificate::flags).await;
        site.log_in().await;
        site.is_bound().await;
        site
    }

    /// Waits until the browser has registered its key.
    async fn is_bound(&self) {
        let registered = async || self.log.count("register", 200) == 1;
        wait::until(wait::ANSWER, "the browser registers a key", registered).await;
        // The answer is on its way to the browser.
        wait::until(wait::ANSWER, "the browser has the device's cookie", async || self.cookie(DEVICE).await.is_some())
            .await;
        self.log.clear();
    }

    async fn cookie(&self, name: &str) -> Option<String> {
        self.browser.get_named_cookie(name).await.ok().map(|cookie| cookie.value)
    }

    async fn lose_the_devices_cookie(&self) {
        self.browser.delete_cookie(DEVICE).await.unwrap();
        assert_eq!(self.cookie(DEVICE).await, None);
    }

    /// What a script of the site's page gets.
    async fn fetch(&self, method: &str, path: &str) -> String {
        let script =
            format!("fetch('{path}', {{ method: '{method}' }}).then(a => a.text().then(t => a.status + ' ' + t))");
        self.browser.evaluate(&script).await
    }

    /// What a thief gets with these cookies, by curl.
    async fn stolen(&self, cookie: &str, path: &str) -> String {
        let curl = tools::CURL.find().expect("curl is installed: run `cargo xtask setup`");
        let mut command = Command::new(curl);
        command.args(["-q", "-s", "-k", "--noproxy", "*", "-o", "-", "-w", " %{http_code}"]);
        command.arg("--resolve").arg(format!("{}:{}:127.0.0.1", self.host, self.port));
        command.arg("-b").arg(cookie).arg(self.url(path));
        let output = wait::within(wait::ANSWER, "curl ends", command.output()).await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Another process takes the place of this one: the same store, another memory.
    async fn restart_server(&mut self) {
        drop(self.server.take());
        let router = router(&self.store, &self.clock, &self.log).await;
        let free = async || tokio::net::TcpListener::bind(("127.0.0.1", self.port)).await.is_ok();
        wait::until(wait::ANSWER, "the port is free", free).await;
        self.server = Some(serve_securely(router, &self.certificate, self.port).await);
    }
}

#[tokio::test]
async fn a_login_by_post_binds_the_session_and_a_stolen_cookie_dies_with_the_grace() {
    let site = Site::bound("login.test").await;
    assert!(site.fetch("GET", "/device").await.starts_with("200 Bound"));
    let stolen = format!("{NAME}={}", site.cookie(NAME).await.unwrap());
    assert!(site.stolen(&stolen, "/me").await.ends_with(" 200"), "within the grace");
    site.clock.advance(Duration::from_secs(31));
    let refused = site.stolen(&stolen, "/me").await;
    assert!(refused.ends_with(" 401") && refused.contains("device-unproven"), "{refused}");
    site.browser.open(&site.url("/me")).await;
    assert_eq!(site.browser.text("#who").await, "ann", "and the browser lives on");
}

#[tokio::test]
async fn a_callback_from_another_host_binds_the_session() {
    let site = Site::at("callback.test", Certificate::flags).await;
    // Another site sends the browser to a login that starts the session: its `Lax` cookie is missing at the registration.
    site.browser.open(&format!("https://provider.test:{}/", site.port)).await;
    let navigation = format!("location.href = {:?}, 1", site.url("/login"));
    assert_eq!(site.browser.evaluate::<u32>(&navigation).await, 1);
    assert_eq!(site.browser.text("#who").await, "ann");
    site.is_bound().await;
    assert!(site.fetch("GET", "/device").await.starts_with("200 Bound"));
}

#[tokio::test]
async fn a_lost_cookie_costs_one_refresh_and_so_do_fifty_requests_at_once() {
    let site = Site::bound("lost.test").await;
    site.clock.advance(Duration::from_secs(31));
    site.lose_the_devices_cookie().await;
    site.browser.open(&site.url("/me")).await;
    assert_eq!(site.browser.text("#who").await, "ann");
    assert_eq!(site.log.all(), [("refresh", 204)], "its challenge had come with the registration");

    site.lose_the_devices_cookie().await;
    site.log.clear();
    let fifty = "Promise.all(Array.from({ length: 50 }, () => fetch('/me').then(a => a.status))).then(all => \
                 all.filter(s => s === 200).length)";
    assert_eq!(site.browser.evaluate::<u32>(fifty).await, 50);
    assert_eq!(site.log.all(), [("refresh", 204)]);
}

#[tokio::test]
async fn a_post_is_held_with_its_body_and_a_recent_proof_is_fetched_by_a_307() {
    let site = Site::bound("pay.test").await;
    site.clock.advance(Duration::from_secs(2 * 60));
    let pay = "fetch('/pay', { method: 'POST', body: '5' }).then(a => a.text())";
    assert_eq!(site.browser.evaluate::<String>(pay).await, "ann pays 5");
    assert_eq!(site.log.all(), [("refresh", 204)]);
    assert_eq!(site.browser.evaluate::<String>(pay).await, "ann pays 5");
    assert_eq!(site.log.all().len(), 1, "the proof is recent now");
}

#[tokio::test]
async fn a_link_from_another_site_arrives_proven() {
    let site = Site::bound("link.test").await;
    site.clock.advance(Duration::from_secs(31));
    site.lose_the_devices_cookie().await;
    site.browser.open(&format!("https://mail.test:{}/", site.port)).await;
    assert_eq!(site.browser.evaluate::<u32>(&format!("location.href = {:?}, 1", site.url("/me"))).await, 1);
    assert_eq!(site.browser.text("#who").await, "ann");
    assert_eq!(site.log.count("refresh", 204), 1);
}

#[tokio::test]
async fn the_binding_outlives_the_server_and_the_browser() {
    let mut site = Site::bound("restart.test").await;
    site.clock.advance(Duration::from_secs(31));
    site.restart_server().await;
    site.lose_the_devices_cookie().await;
    site.browser.open(&site.url("/me")).await;
    assert_eq!(site.browser.text("#who").await, "ann");
    assert_eq!(site.log.all(), [("refresh", 204)], "any process answers the challenge of another one");

    // A session's cookie ends with the browser; what a person has marked to be kept does not.
    let session = site.cookie(NAME).await.unwrap();
    let flags = site.certificate.flags();
    site.browser = site.browser.restart(&flags).await;
    site.log.clear();
    site.browser.open(&site.url("/")).await;
    let mut cookie = thirtyfour::Cookie::new(NAME, session);
    cookie.set_path("/");
    cookie.set_secure(true);
    site.browser.add_cookie(cookie).await.unwrap();
    if site.cookie(DEVICE).await.is_some() {
        site.lose_the_devices_cookie().await;
    }
    site.browser.open(&site.url("/me")).await;
    assert_eq!(site.browser.text("#who").await, "ann");
    let log = site.log.all();
    assert_eq!(log.last(), Some(&("refresh", 204)), "{log:?}");
    assert!(log.len() <= 2, "a challenge is asked for first, as none is kept: {log:?}");
}

#[tokio::test]
async fn a_rotation_keeps_the_binding_and_a_logout_ends_it() {
    let site = Site::bound("rotate.test").await;
    let before = site.cookie(NAME).await;
    assert!(site.fetch("POST", "/rotate").await.starts_with("200"));
    assert_ne!(site.cookie(NAME).await, before);
    site.clock.advance(Duration::from_secs(31));
    site.lose_the_devices_cookie().await;
    assert_eq!(site.fetch("POST", "/visit").await, "200 1");
    assert_eq!(site.log.all(), [("refresh", 204)]);

    site.log.clear();
    assert!(site.fetch("POST", "/logout").await.starts_with("200"));
    assert_eq!((site.cookie(NAME).await, site.cookie(DEVICE).await), (None, None));
    assert!(site.fetch("GET", "/me").await.starts_with("401"));
    assert_eq!(site.log.all(), [("refresh", 200)], "the browser asks once, and is told to forget it");
    assert!(site.fetch("GET", "/me").await.starts_with("401"));
    assert_eq!(site.log.all().len(), 1);
}

#[tokio::test]
async fn a_store_that_hangs_keeps_the_binding() {
    let mut site = Site::with(Store::Redis(session_tests::Redis::start().await), "down.test", Certificate::flags).await;
    site.log_in().await;
    site.is_bound().await;
    site.clock.advance(Duration::from_secs(31));
    site.lose_the_devices_cookie().await;
    if let Store::Redis(redis) = &mut site.store {
        redis.stop();
    }
    assert!(site.fetch("GET", "/me").await.starts_with("503"));
    assert_eq!(site.log.all(), [("refresh", 503)]);
    if let Store::Redis(redis) = &mut site.store {
        redis.resume();
    }
    let served = async || site.fetch("GET", "/me").await.starts_with("200");
    wait::until(wait::ANSWER, "the browser proves its key again", served).await;
    assert!(site.log.count("refresh", 204) >= 1, "{:?}", site.log.all());
}

#[tokio::test]
async fn without_the_feature_the_session_is_an_ordinary_one() {
    // The last argument of one name counts.
    let without = |certificate: &Certificate| {
        let mut flags = certificate.flags();
        flags[0] = "--disable-features=DeviceBoundSessions".into();
        flags
    };
    let site = Site::at("plain.test", without).await;
    site.log_in().await;
    site.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(site.fetch("POST", "/visit").await, "200 1");
    assert_eq!(site.fetch("GET", "/device").await, "200 Unbound");
    assert_eq!(site.log.all(), []);
    assert_eq!(site.cookie(DEVICE).await, None);
}
