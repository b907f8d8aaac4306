//! `fresh = "10m"`: step-up before a dangerous action.

use std::time::Duration;

use axum::{
    Router,
    http::{Method, StatusCode, request::Parts},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Served, serve};

use crate::support::{Store, assert_problem, on_every_backend, send_with};

const COOKIE: &str = "__Host-account";
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("/login"))]
struct Account {
    name: String,
}

#[session(optional)]
async fn login(slot: SessionSlot<Account>) -> Result<(), Error> {
    slot.start(Account { name: "ann".into() }).await
}

#[session(protected)]
async fn home(account: &Account) -> String {
    account.name.clone()
}

#[session(protected, fresh = "10m")]
async fn shared(_account: &Account) {}

#[session(protected, fresh = "10m")]
async fn exclusive(account: &mut Account) {
    account.name.push('!');
}

#[session(protected, fresh = "10m")]
async fn owned(_session: Session<Account>) {}

#[session(protected(Account), fresh = "10m")]
async fn guarded() {}

#[session(protected, fresh = "10m", missing = redirect("/again"))]
async fn redirected(_account: &mut Account) {}

async fn prove(parts: Parts) -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, format!("prove yourself for {}", parts.uri))
}

#[session(protected, fresh = "10m", missing = prove)]
async fn told(_account: &mut Account) {}

#[session(protected, fresh = "10m", guard = |_| -> Result<(), StatusCode> { Err(StatusCode::IM_A_TEAPOT) })]
async fn guarded_as_well(_account: &mut Account) {}

#[session(protected)]
async fn prove_again(mut session: Session<Account>) -> Result<(), Error> {
    session.mark_reauthenticated().await
}

#[session(protected)]
async fn rotate(mut session: Session<Account>) -> Result<(), Error> {
    session.rotate_id().await
}

const FORMS: [(Method, &str); 4] =
    [(Method::GET, "/shared"), (Method::POST, "/exclusive"), (Method::POST, "/owned"), (Method::GET, "/guarded")];

async fn served(sessions: Sessions<Account>) -> Served {
    let router = Router::new()
        .route("/login", post(login))
        .route("/", get(home))
        .route("/shared", get(shared))
        .route("/exclusive", post(exclusive))
        .route("/owned", post(owned))
        .route("/guarded", get(guarded))
        .route("/redirected", post(redirected))
        .route("/told", post(told))
        .route("/guarded-as-well", post(guarded_as_well))
        .route("/prove-again", post(prove_again))
        .route("/rotate", post(rotate));
    serve(router.with_state(sessions)).await
}

struct Site {
    server: Served,
    client: Client,
    clock: ManualClock,
}

async fn site(store: &Store) -> Site {
    let clock = ManualClock::new();
    let server = served(store.builder().clock(clock.clone()).open().await.unwrap()).await;
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    Site { server, client, clock }
}

/// V7.5.1, V7.5.3.
async fn a_stale_session_gets_401_with_a_reason_and_a_fresh_one_passes(store: Store) {
    let Site { server: _server, client, clock } = site(&store).await;
    clock.advance(10 * MINUTE - Duration::from_millis(1));
    for (method, path) in FORMS {
        assert_eq!(client.send(method, path, |request| request).await.status, 200, "{path}");
    }
    clock.advance(Duration::from_millis(1));
    for (method, path) in FORMS {
        let reply = client.send(method, path, |request| request).await;
        assert_problem(&reply, 401, "stale");
        assert_eq!(reply.json::<Value>()["max_age"], 600, "{path}: it says how fresh it has to be");
        assert_eq!(reply.header("www-authenticate"), Some(r#"Cookie cookie-name="__Host-account""#));
        assert!(reply.set_cookies().is_empty());
    }
    assert_eq!(client.get("/").await.text(), "ann!", "the session lives on, and nothing was changed by the stale one");
}

/// V7.5.3, V7.2.4.
async fn proving_oneself_again_makes_the_session_fresh_and_gives_it_a_new_id(store: Store) {
    let Site { server, client, clock } = site(&store).await;
    clock.advance(20 * MINUTE);
    let old = client.cookie(COOKIE).unwrap();
    assert_problem(&client.get("/shared").await, 401, "stale");
    assert_eq!(client.post("/prove-again").await.set_cookies().len(), 1);
    let replayed = send_with(&server, Method::GET, "/", &format!("{COOKIE}={old}")).await;
    assert_eq!((replayed.status.as_u16(), replayed.header("location")), (303, Some("/login")), "the old id is dead");
    for (method, path) in FORMS {
        assert_eq!(client.send(method, path, |request| request).await.status, 200, "{path}");
    }
    clock.advance(10 * MINUTE);
    assert_problem(&client.get("/shared").await, 401, "stale");
}

async fn a_rotation_a_write_and_a_read_are_no_proof(store: Store) {
    let Site { server: _server, client, clock } = site(&store).await;
    for _ in 0..5 {
        clock.advance(2 * MINUTE);
        client.post("/rotate").await;
        client.get("/").await;
    }
    assert_problem(&client.get("/shared").await, 401, "stale");
}

on_every_backend!(
    a_rotation_a_write_and_a_read_are_no_proof,
    a_stale_session_gets_401_with_a_reason_and_a_fresh_one_passes,
    proving_oneself_again_makes_the_session_fresh_and_gives_it_a_new_id,
);

#[tokio::test]
async fn a_handlers_own_missing_answers_for_a_stale_session_and_the_types_does_not() {
    let Site { server, client, clock } = site(&Store::memory()).await;
    clock.advance(10 * MINUTE);
    let reply = client.post("/redirected").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/again")));
    let reply = client.post("/told").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (403, "prove yourself for /told"));
    let anonymous = server.client().get("/shared").await;
    assert_eq!((anonymous.status.as_u16(), anonymous.header("location")), (303, Some("/login")));
}

#[tokio::test]
async fn freshness_is_asked_for_before_the_guard() {
    let Site { server: _server, client, clock } = site(&Store::memory()).await;
    assert_eq!(client.post("/guarded-as-well").await.status, 418);
    clock.advance(10 * MINUTE);
    assert_problem(&client.post("/guarded-as-well").await, 401, "stale");
}

#[tokio::test]
async fn a_stale_exclusive_borrow_gives_its_lease_back() {
    let Site { server: _server, client, clock } = site(&Store::memory()).await;
    clock.advance(10 * MINUTE);
    for _ in 0..3 {
        assert_problem(&client.post("/exclusive").await, 401, "stale");
    }
    assert_eq!(client.post("/prove-again").await.status, 200);
    assert_eq!(client.post("/exclusive").await.status, 200);
}
