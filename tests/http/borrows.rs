//! The five ways to take a session, each as its user sees it.

use std::time::{Duration, SystemTime};

use axum::{
    Json, Router,
    http::Method,
    routing::{get, post},
};
use serde_json::{Value, json};
use session_runtime::{Error, Session, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Served, serve};

use crate::support::{
    COOKIE, Store, User, assert_problem, is_alive, logged_in, on_every_backend, routes, send_with, token,
};

#[session(optional)]
async fn count_if_known(user: Option<&mut User>) -> String {
    user.map_or_else(
        || "anonymous".into(),
        |user| {
            user.visits += 1;
            user.visits.to_string()
        },
    )
}

#[session(optional)]
async fn leave_if_known(session: Option<Session<User>>) -> Result<&'static str, Error> {
    match session {
        Some(session) => session.end().await.map(|()| "goodbye"),
        None => Ok("anonymous"),
    }
}

#[session(optional)]
async fn who(slot: SessionSlot<User>) -> String {
    slot.get().map_or_else(|| "anonymous".into(), |user| user.name.clone())
}

#[session(protected)]
async fn facts(session: Session<User>) -> Json<Value> {
    let seconds = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    Json(json!({
        "id": session.public_id().to_string(),
        "created": seconds(session.created_at()),
        "expires": seconds(session.expires_at()),
    }))
}

async fn server(sessions: Sessions<User>) -> Served {
    let more = Router::new()
        .route("/count", post(count_if_known))
        .route("/leave", post(leave_if_known))
        .route("/who", get(who))
        .route("/facts", get(facts));
    serve(routes().merge(more).with_state(sessions)).await
}

async fn in_memory() -> Served {
    server(Store::memory().sessions().await).await
}

async fn me(client: &Client) -> User {
    client.get("/me").await.json()
}

async fn a_shared_borrow_reads_what_an_exclusive_one_wrote(store: Store) {
    let server = server(store.sessions().await).await;
    let client = logged_in(&server, "ann").await;
    assert_eq!(me(&client).await, User { name: "ann".into(), visits: 0 });
    for visits in 1..=3 {
        assert_eq!(client.post("/visit").await.text(), visits.to_string());
        assert_eq!(me(&client).await.visits, visits);
    }
}

async fn two_instances_of_an_application_serve_one_session(store: Store) {
    let (one, other) = (server(store.sessions().await).await, server(store.sessions().await).await);
    let client = logged_in(&one, "ann").await;
    let elsewhere = client.at(&other.url());
    assert_eq!(elsewhere.post("/visit").await.text(), "1");
    assert_eq!(client.post("/visit").await.text(), "2");
    assert_eq!(me(&elsewhere).await.visits, 2);
}

async fn two_clients_never_see_each_others_session(store: Store) {
    let server = server(store.sessions().await).await;
    let (ann, bob) = (logged_in(&server, "ann").await, logged_in(&server, "bob").await);
    ann.post("/visit").await;
    assert_eq!(me(&ann).await, User { name: "ann".into(), visits: 1 });
    assert_eq!(me(&bob).await, User { name: "bob".into(), visits: 0 });
}

on_every_backend!(
    a_shared_borrow_reads_what_an_exclusive_one_wrote,
    two_instances_of_an_application_serve_one_session,
    two_clients_never_see_each_others_session,
);

#[tokio::test]
async fn what_needs_a_session_turns_anonymous_requests_away() {
    let server = in_memory().await;
    let anonymous = server.client();
    assert_problem(&anonymous.get("/me").await, 401, "missing");
    for path in ["/visit", "/rotate", "/logout"] {
        assert_problem(&anonymous.post(path).await, 401, "missing");
    }
}

#[tokio::test]
async fn an_optional_borrow_admits_anonymous_requests_and_knows_who_is_known() {
    let server = in_memory().await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    assert_eq!(anonymous.get("/").await.text(), "anonymous");
    assert_eq!(ann.get("/").await.text(), "ann");
}

#[tokio::test]
async fn what_an_optional_exclusive_borrow_changes_is_stored() {
    let server = in_memory().await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    assert_eq!(anonymous.post("/count").await.text(), "anonymous");
    assert_eq!(ann.post("/count").await.text(), "1");
    assert_eq!(ann.post("/count").await.text(), "2");
    assert_eq!(me(&ann).await.visits, 2);
}

#[tokio::test]
async fn an_optional_handle_ends_a_session_where_there_is_one() {
    let server = in_memory().await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    let reply = anonymous.post("/leave").await;
    assert_eq!(reply.text(), "anonymous");
    assert!(reply.set_cookies().is_empty());
    assert_eq!(ann.post("/leave").await.text(), "goodbye");
    assert_problem(&ann.get("/me").await, 401, "missing");
}

#[tokio::test]
async fn an_optional_exclusive_borrow_of_an_ended_session_is_none() {
    let server = in_memory().await;
    let ann = logged_in(&server, "ann").await;
    let kept = format!("{COOKIE}={}", token(&ann));
    ann.post("/logout").await;
    let reply = send_with(&server, Method::POST, "/count", &kept).await;
    assert_eq!((reply.text(), reply.set_cookies()), ("anonymous", vec![]));
}

#[tokio::test]
async fn a_slot_tells_who_is_there() {
    let server = in_memory().await;
    assert_eq!(server.client().get("/who").await.text(), "anonymous");
    assert_eq!(logged_in(&server, "ann").await.get("/who").await.text(), "ann");
}

#[tokio::test]
async fn a_handle_knows_when_the_session_began_and_when_it_ends() {
    let clock = ManualClock::new();
    let store = Store::memory();
    let server = server(store.builder().clock(clock.clone()).open().await.unwrap()).await;
    let client = logged_in(&server, "ann").await;
    let before: Value = client.get("/facts").await.json();
    let (created, expires) = (before["created"].as_u64().unwrap(), before["expires"].as_u64().unwrap());
    assert_eq!(expires - created, 12 * 3600, "the default lifetime");

    clock.advance(Duration::from_secs(600));
    client.post("/visit").await;
    client.post("/rotate").await;
    let after: Value = client.get("/facts").await.json();
    assert_eq!(after, before, "use and rotation change neither the times nor the name");
}

#[tokio::test]
async fn a_sessions_loggable_name_is_no_part_of_its_token_and_no_cookie() {
    let server = in_memory().await;
    let (ann, bob) = (logged_in(&server, "ann").await, logged_in(&server, "bob").await);
    let facts: Value = ann.get("/facts").await.json();
    let id = facts["id"].as_str().unwrap();
    assert_eq!(id.len(), 12);
    assert!(!token(&ann).contains(id));
    assert!(!is_alive(&server, id).await);
    assert_ne!(bob.get("/facts").await.json::<Value>()["id"], id);
}
