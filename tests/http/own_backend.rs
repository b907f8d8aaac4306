//! A backend of the application's own: declared in the attribute, or given to the builder.

use std::sync::Arc;

use axum::{
    Router,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, Sessions, backend::Memory, session};
use session_tests::serve;

use crate::support::{Ledger, User, key, logged_in, serve_users};

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = crate::support::Ledger(name = "declared", room = 10, down = env("HTTP_TESTS_UNSET", default = "false")),
    key = env("HTTP_TESTS_UNSET"),
)]
struct Declared {
    words: Vec<String>,
}

#[session(optional)]
async fn start(slot: SessionSlot<Declared>) -> Result<(), Error> {
    slot.start(Declared { words: Vec::new() }).await
}

#[session(protected)]
async fn say(declared: &mut Declared, word: String) -> String {
    declared.words.push(word);
    declared.words.join(" ")
}

#[session(protected)]
async fn said(declared: &Declared) -> String {
    declared.words.join(" ")
}

#[tokio::test]
async fn a_backend_is_declared_by_its_path_with_its_arguments() {
    // The key is declared to come from the environment; what the builder is given is not looked up there.
    let sessions = Sessions::<Declared>::builder().ephemeral_key().open().await.unwrap();
    let ledger = Ledger::named("declared").expect("the declared backend was opened with its name");
    let server =
        serve(Router::new().route("/", post(start).get(said)).route("/say", post(say)).with_state(sessions)).await;
    let client = server.client();
    client.post("/").await;
    for (word, all) in [("to", "to"), ("be", "to be")] {
        assert_eq!(client.send(Method::POST, "/say", |request| request.body(word)).await.text(), all);
    }
    assert_eq!(client.get("/").await.text(), "to be");
    assert_eq!((ledger.written(), ledger.record().await.version), (3, 3));
    assert!(client.cookie("__Host-declared").is_some());
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = crate::support::Ledger(name = "roomless", room = env("HTTP_TESTS_UNSET_ROOM", default = "0")),
    key = env("HTTP_TESTS_UNSET"),
)]
struct Roomless;

#[tokio::test]
async fn what_a_backend_says_against_its_arguments_is_what_the_application_says() {
    let error = Sessions::<Roomless>::builder().ephemeral_key().open().await.unwrap_err().to_string();
    let expected = "the environment variable HTTP_TESTS_UNSET_ROOM (option `backend = Ledger(room)`) has no room for";
    assert!(error.contains(expected), "{error}");
}

#[tokio::test]
async fn one_backend_can_serve_several_instances() {
    let memory = Arc::new(Memory::default());
    let open = async || {
        let builder = Sessions::<User>::builder().shared_backend(Arc::clone(&memory)).key(&key('k'));
        serve_users(builder.open().await.unwrap()).await
    };
    let (one, other) = (open().await, open().await);
    let client = logged_in(&one, "ann").await;
    assert_eq!(client.at(&other.url()).post("/visit").await.text(), "1");
    assert_eq!(client.post("/visit").await.text(), "2");
}

#[tokio::test]
async fn a_backend_that_outlives_the_process_needs_a_key_that_does() {
    let error = Sessions::<User>::builder().backend(Ledger::default()).open().await.unwrap_err().to_string();
    assert!(error.contains("`key`") && error.contains("ephemeral_key"), "{error}");
    assert!(Sessions::<User>::builder().backend(Memory::default()).open().await.is_ok());
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memory(capacity = 3))]
struct Few;

#[session(optional)]
async fn begin(slot: SessionSlot<Few>) -> Result<(), Error> {
    slot.start(Few).await
}

#[session(protected)]
async fn check(_few: &Few) {}

#[tokio::test]
async fn a_full_memory_makes_room_where_a_session_was_idle_longest() {
    let router = Router::new().route("/", get(check).post(begin));
    let server = serve(router.with_state(Few::sessions().await.unwrap())).await;
    let clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    for client in &clients[..3] {
        client.post("/").await;
    }
    assert_eq!(clients[0].get("/").await.status, 200, "used again, so the second is idle longest");
    clients[3].post("/").await;
    let mut alive = Vec::new();
    for client in &clients {
        alive.push(client.get("/").await.status == 200);
    }
    assert_eq!(alive, [true, false, true, true]);
}
