//! `sessions.start(data)`: sessions that start without a slot.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::Method,
    response::{IntoResponse, Redirect},
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, SessionData, Sessions, session,
    testing::{Client as RouterClient, Events, ManualClock},
};
use session_tests::serve;

use crate::support::{COOKIE, Store, User, key, on_every_backend, routes, serve_users, varies_by_cookie};

fn ann() -> User {
    User { name: "ann".into(), visits: 0 }
}

async fn a_session_that_was_started_for_nobody_is_used_by_its_token(store: Store) {
    let users = store.sessions::<User>().await;
    let server = serve_users(users.clone()).await;
    let started = users.start(ann()).await.unwrap();
    let cookie = started.cookie().unwrap();
    assert_eq!(cookie.to_str().unwrap(), format!("{COOKIE}={}", started.token().as_str()));
    assert_eq!(started.authorization(), None, "`User` travels in a cookie alone");
    assert_eq!(started.request_headers().get("cookie"), Some(&cookie));
    let reply = server.client().send(Method::GET, "/me", |request| request.header("cookie", cookie)).await;
    assert_eq!(reply.json::<User>(), ann());
    assert!(!format!("{started:?}").contains(started.token().as_str()), "who reads a log has no session");
}

async fn the_options_of_a_login_chain(store: Store) {
    let clock = ManualClock::new();
    let users = store.builder::<User>().clock(clock.clone()).open().await.unwrap();
    let server = serve_users(users.clone()).await;
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let brief = users.start(ann()).lifetime(minutes(10)).await.unwrap();
    let idle = users.start(ann()).idle(minutes(5)).await.unwrap();
    let status = async |cookie| {
        server.client().send(Method::GET, "/me", |request| request.header("cookie", cookie)).await.status.as_u16()
    };
    clock.advance(minutes(6));
    assert_eq!([status(brief.cookie().unwrap()).await, status(idle.cookie().unwrap()).await], [200, 401]);
    clock.advance(minutes(5));
    assert_eq!(status(brief.cookie().unwrap()).await, 401);
    let refused = users.start(ann()).idle(Duration::ZERO).await;
    assert!(matches!(refused, Err(Error::NoLifetime)), "{refused:?}");
}

on_every_backend!(a_session_that_was_started_for_nobody_is_used_by_its_token, the_options_of_a_login_chain);

async fn callback(State(users): State<Sessions<User>>) -> Result<impl IntoResponse, Error> {
    Ok((users.start(ann()).persistent(true).await?, Redirect::to("/me")))
}

#[tokio::test]
async fn as_a_part_of_a_response_it_hands_over_its_token_as_a_login_does() {
    let users = Store::memory().sessions::<User>().await;
    let server = serve(routes().route("/callback", get(callback)).with_state(users)).await;
    let client = server.client();
    let reply = client.get("/callback").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/me")));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(varies_by_cookie(&reply));
    let cookie = reply.set_cookies()[0];
    for part in [COOKIE, "; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/", "; Max-Age=43"] {
        assert!(cookie.contains(part), "{cookie} lacks {part}");
    }
    assert_eq!(client.get("/me").await.json::<User>(), ann());
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = bearer)]
struct Robot {
    runs: u32,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = header("x-session"))]
struct Device {
    runs: u32,
}

#[session(protected)]
async fn run(robot: &mut Robot) -> String {
    robot.runs += 1;
    robot.runs.to_string()
}

#[session(protected)]
async fn report(device: &mut Device) -> String {
    device.runs += 1;
    device.runs.to_string()
}

async fn enroll(State(robots): State<Sessions<Robot>>) -> Result<impl IntoResponse, Error> {
    Ok((robots.start(Robot { runs: 0 }).await?, "welcome"))
}

#[tokio::test]
async fn a_session_of_another_transport_has_its_own_header() {
    let robots = Store::memory().sessions::<Robot>().await;
    let started = robots.start(Robot { runs: 0 }).await.unwrap();
    let expected = format!("Bearer {}", started.token().as_str());
    assert_eq!((started.cookie(), started.authorization().unwrap().to_str().unwrap()), (None, expected.as_str()));
    assert_eq!(started.request_headers()["authorization"].to_str().unwrap(), expected);

    let devices = Store::memory().sessions::<Device>().await;
    let started = devices.start(Device { runs: 0 }).await.unwrap();
    assert_eq!((started.cookie(), started.authorization()), (None, None));
    assert_eq!(started.request_headers()["x-session"].to_str().unwrap(), started.token().as_str());
}

#[tokio::test]
async fn a_client_of_a_router_knows_every_transport() {
    let robots = Store::memory().sessions::<Robot>().await;
    let app = Router::new().route("/enroll", get(enroll)).route("/run", get(run)).with_state(robots.clone());
    let client = RouterClient::new(app.clone());
    assert_eq!(client.get("/run").await.status(), 401);
    assert_eq!(client.get("/enroll").await.text(), "welcome");
    assert_eq!(client.get("/run").await.text(), "1", "the token of the response was kept");
    client.forget();
    assert_eq!(client.get("/run").await.status(), 401);
    let started = robots.start(Robot { runs: 5 }).await.unwrap();
    assert_eq!(RouterClient::new(app.clone()).bearer(started.token().as_str()).get("/run").await.text(), "6");
    client.log_in(&started);
    assert_eq!(client.get("/run").await.text(), "7");

    let devices = Store::memory().sessions::<Device>().await;
    let client = RouterClient::new(Router::new().route("/", get(report)).with_state(devices.clone()));
    client.log_in(&devices.start(Device { runs: 1 }).await.unwrap());
    assert_eq!(client.get("/").await.text(), "2");

    let users = Store::memory().sessions::<User>().await;
    let client = RouterClient::new(routes().with_state(users.clone()));
    client.log_in(&users.start(ann()).await.unwrap());
    assert_eq!(client.post("/visit").await.text(), "1");
    assert_eq!(client.at("https://elsewhere.example").post("/visit").await.text(), "2", "a page of that origin");
    client.post("/logout").await;
    assert_eq!((client.cookie(COOKIE), client.get("/me").await.status().as_u16()), (None, 401));
    client.post_form("/login", &[("name", "bob & co")]).await;
    assert_eq!(client.get("/me").await.json::<User>().name, "bob & co");
}

#[tokio::test]
async fn a_test_of_another_sites_request_says_so_itself() {
    let users = Store::memory().sessions::<User>().await;
    let client = RouterClient::new(routes().with_state(users.clone()));
    client.log_in(&users.start(ann()).await.unwrap());
    for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")] {
        let request = axum::http::Request::post("/visit").header(name, value).body(axum::body::Body::empty()).unwrap();
        assert_eq!(client.send(request).await.status(), 403);
    }
    assert_eq!(client.post("/visit").await.text(), "1");
}

#[tokio::test]
async fn a_started_session_is_told_once_and_only_on_the_thread_that_listens() {
    let users = Store::memory().sessions::<User>().await;
    let events = Events::listen();
    let started = users.start(ann()).await.unwrap();
    let event = events.only("session.started");
    assert_eq!(event.field("session"), Some(started.public_id().to_string().as_str()));
    assert_eq!((event.name(), event.level()), ("session.started", tracing::Level::INFO));
    events.clear();
    assert_eq!(events.all(), []);
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { drop(Store::memory().sessions::<User>().await.start(ann()).await.unwrap()) });
    });
    other.join().unwrap();
    assert_eq!(events.all(), []);
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"))]
struct Carried {
    text: String,
}

#[session(protected)]
async fn read(carried: &Carried) -> String {
    carried.text.clone()
}

#[tokio::test]
async fn a_session_that_its_token_carries_starts_without_a_request_too() {
    let sessions = Sessions::<Carried>::builder().key(&key('k')).open().await.unwrap();
    let server = serve(Router::new().route("/", get(read)).with_state(sessions.clone())).await;
    let started = sessions.start(Carried { text: "hello".into() }).await.unwrap();
    let cookie = started.cookie().unwrap();
    let reply = server.client().send(Method::GET, "/", |request| request.header("cookie", cookie)).await;
    assert_eq!(reply.text(), "hello");
    let refused = sessions.start(Carried { text: "x".repeat(5000) }).await;
    assert!(matches!(refused, Err(Error::CookieTooLarge { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_store_that_is_down_starts_nothing() {
    let ledger = crate::support::Ledger::default();
    let users = Sessions::<User>::builder().backend(ledger.clone()).ephemeral_key().open().await.unwrap();
    ledger.set_down(true);
    let refused = users.start(ann()).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    let server = serve(routes().route("/callback", get(callback)).with_state(users)).await;
    assert_eq!(server.client().get("/callback").await.status, 503);
}
