//! `device_bound`: sessions that a stolen cookie does not open, without a browser: a key of the tests' own, and a clock that
//! is turned by hand.

mod admission;
mod guards;
mod idle;
mod interrupted;
mod options;
mod refresh;
mod registration;
mod step_up;
mod stores;

use std::time::Duration;

use axum::{
    Router,
    http::{Method, header::COOKIE},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_runtime::{Builder, Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Device, Reply, Served, device::Offer, device::challenge, serve};

use crate::support::Store;

const NAME: &str = "__Host-account";
const DEVICE: &str = "__Host-account-device";
const PATH: &str = "/.session/account/device";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound(every = "10m", except = ["/static", "/health"]), idle = "2h", lifetime = "12h")]
struct Account {
    #[session(owner)]
    name: String,
    visits: u32,
}

#[session(optional)]
async fn login(slot: SessionSlot<Account>) -> Result<(), Error> {
    slot.start(Account { name: "ann".into(), visits: 0 }).await
}

#[session(protected)]
async fn me(account: &Account) -> String {
    account.name.clone()
}

#[session(protected)]
async fn visit(account: &mut Account) -> String {
    account.visits += 1;
    account.visits.to_string()
}

#[session(protected)]
async fn owned(session: Session<Account>) -> String {
    format!("{:?}", session.device())
}

#[session(optional)]
async fn greet(account: Option<&Account>) -> &'static str {
    if account.is_some() { "known" } else { "anonymous" }
}

async fn extracted(account: Account) -> String {
    account.name
}

#[session(protected)]
async fn rotate(mut session: Session<Account>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
async fn logout(session: Session<Account>) -> Result<(), Error> {
    session.end().await
}

#[session(optional)]
async fn leave(slot: SessionSlot<Account>) -> Result<(), Error> {
    slot.end().await
}

#[session(protected, device = "1m")]
async fn pay(account: &mut Account, body: String) -> String {
    format!("{} pays {body}", account.name)
}

#[session(protected, device = "1m")]
async fn read_secret(_account: &Account) -> &'static str {
    "secret"
}

fn routes(sessions: &Sessions<Account>) -> Router {
    let guarded = Router::new().route("/guarded", get(async || "guarded")).route_layer(sessions.protect());
    let nested = Router::new().route("/secret", get(read_secret));
    Router::new()
        .route("/login", post(login))
        .route("/me", get(me))
        .route("/visit", post(visit))
        .route("/owned", get(owned))
        .route("/greet", get(greet))
        .route("/extracted", get(extracted))
        .route("/rotate", post(rotate))
        .route("/logout", post(logout))
        .route("/leave", post(leave))
        .route("/pay", post(pay))
        .nest("/nested", nested)
        .merge(guarded)
        .merge(sessions.device_routes())
        .with_state(sessions.clone())
}

/// Two processes of one application, and a browser that has logged in at the first one.
struct Site {
    sessions: Sessions<Account>,
    server: Served,
    other: Served,
    client: Client,
    clock: ManualClock,
    device: Device,
    offer: Offer,
}

/// A site whose browser's session is bound.
struct Bound {
    site: Site,
    session: String,
    challenge: String,
}

async fn site(store: &Store) -> Site {
    site_on(async || store.builder()).await
}

/// The same, where each process has a builder of its own.
async fn site_on(builder: impl AsyncFn() -> Builder<Account>) -> Site {
    let clock = ManualClock::new();
    let sessions: Sessions<Account> = builder().await.clock(clock.clone()).open().await.unwrap();
    let others = builder().await.clock(clock.clone()).open().await.unwrap();
    let (server, other) = (serve(routes(&sessions)).await, serve(routes(&others)).await);
    let client = server.client();
    let reply = client.post("/login").await;
    assert_eq!(reply.status, 200);
    let offer = Offer::of(&reply).expect("a login offers to register a key");
    Site { sessions, server, other, client, clock, device: Device::new(1), offer }
}

impl Site {
    /// The browser at the other process.
    fn elsewhere(&self) -> Client {
        self.client.at(&self.other.url())
    }

    /// A thief with the session's cookie, and nothing else.
    async fn stolen(&self, method: Method, path: &str) -> Reply {
        self.stolen_at(&self.server, method, path).await
    }

    async fn stolen_at(&self, server: &Served, method: Method, path: &str) -> Reply {
        let cookie = format!("{NAME}={}", self.client.cookie(NAME).expect("the session's cookie"));
        server.client().send(method, path, |request| request.header(COOKIE, cookie)).await
    }
}

async fn bound(store: &Store) -> Bound {
    let site = site(store).await;
    let reply = site.device.register(&site.elsewhere(), &site.offer).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let challenge = challenge(&reply.headers).expect("a challenge for the next time");
    let session = reply.json::<Value>()["session_identifier"].as_str().expect("an identifier").to_owned();
    Bound { site, session, challenge }
}

/// A refusal of the route: a problem of this kind, and no other answer's headers.
fn assert_refused(reply: &Reply, status: u16, kind: &str) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
    assert_eq!(reply.json::<Value>()["type"], format!("urn:problem-type:session:{kind}"));
    assert!(reply.set_cookies().is_empty());
    assert_guarded(reply);
}

/// What every answer of the route has.
fn assert_guarded(reply: &Reply) {
    for (name, value) in
        [("cache-control", "no-store"), ("cross-origin-resource-policy", "same-origin"), ("x-frame-options", "DENY")]
    {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control-")));
}
