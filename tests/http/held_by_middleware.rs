//! `Session::update` behind a middleware that holds the session by `&mut`.

use std::time::Duration;

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Client, Served, serve, wait};

use crate::support::{Events, Store, assert_problem, on_every_backend};

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Runner {
    laps: u32,
}

/// Counts each request that was answered, under one lease for all of it.
#[session(protected)]
async fn count_around(runner: &mut Runner, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    runner.laps += 1;
    response
}

#[session(optional)]
async fn login(slot: SessionSlot<Runner>) -> Result<(), Error> {
    slot.start(Runner::default()).await
}

#[session(protected)]
async fn laps(runner: &Runner) -> String {
    runner.laps.to_string()
}

#[session(protected)]
async fn add(mut session: Session<Runner>) -> Result<(), Error> {
    session.update(|runner| runner.laps += 10).await
}

/// Answers in its own way.
#[session(protected)]
async fn caught(mut session: Session<Runner>) -> String {
    format!("{:?}", session.update(|runner| runner.laps += 10).await)
}

/// Changes the session when the response has been sent.
#[session(protected)]
async fn later(mut session: Session<Runner>) {
    tokio::spawn(async move {
        while session.update(|runner| runner.laps += 100).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

fn handlers() -> Router<Sessions<Runner>> {
    Router::new()
        .route("/add", post(add))
        .route("/caught", post(caught))
        .route("/later", post(later))
        .route("/laps", get(laps))
}

async fn logged_in(store: &Store) -> (Served, Client) {
    // A request that waited for itself would still wait when its client gives up.
    let runners = store.builder::<Runner>().wait(Duration::from_secs(600)).open().await.unwrap();
    let held = handlers().layer(from_fn_with_state(runners.clone(), count_around));
    let router = handlers().nest("/around", held).route("/login", post(login));
    let server = serve(router.with_state(runners)).await;
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    (server, client)
}

async fn an_update_behind_a_middleware_that_holds_the_session_is_refused_at_once(store: Store) {
    let events = Events::listen();
    let (_server, client) = logged_in(&store).await;
    let reply = client.post("/around/add").await;
    assert_problem(&reply, 500, "internal");
    assert!(reply.text().contains("session.held_by_middleware"), "{}", reply.text());
    assert_eq!(events.named("session.held_by_middleware").len(), 1);
    assert_eq!(client.get("/laps").await.text(), "0", "neither change is stored");
    assert_eq!(client.post("/around/caught").await.text(), "Err(HeldByMiddleware)");
    assert_eq!(client.get("/laps").await.text(), "1", "the middleware's is, as the handler has answered");
    assert_eq!(client.post("/add").await.status, 200);
    assert_eq!(client.get("/laps").await.text(), "11");
}

async fn a_session_that_outlives_its_request_is_changed_once_the_middleware_has_let_go(store: Store) {
    let (_server, client) = logged_in(&store).await;
    assert_eq!(client.post("/around/later").await.status, 200);
    let changed = async || client.get("/laps").await.text() == "101";
    wait::until(wait::ANSWER, "the task has changed it", changed).await;
}

on_every_backend!(
    a_session_that_outlives_its_request_is_changed_once_the_middleware_has_let_go,
    an_update_behind_a_middleware_that_holds_the_session_is_refused_at_once,
);
