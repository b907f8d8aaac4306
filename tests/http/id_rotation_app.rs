//! An application whose ids are rotated on a schedule, with a handler for each form of borrow.

use std::convert::Infallible;

use axum::{
    Extension, Form, Router,
    http::{Method, StatusCode},
    routing::{MethodRouter, get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Reply, Served, serve};

use crate::support::{Gate, Store, send_with};

pub(crate) const COOKIE: &str = "__Host-worker";

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(rotate_every = "15m", idle = "30m", lifetime = "12h")]
pub(crate) struct Worker {
    pub(crate) visits: u32,
    #[session(privilege)]
    pub(crate) level: u32,
    #[session(flash)]
    pub(crate) notice: Option<String>,
}

#[session(optional)]
pub(crate) async fn login(slot: SessionSlot<Worker>) -> Result<(), Error> {
    slot.start(Worker { visits: 0, level: 0, notice: None }).await
}

#[session(protected)]
pub(crate) async fn shared(worker: &Worker) -> String {
    format!("{} {}", worker.visits, worker.notice.as_deref().unwrap_or("-"))
}

#[session(protected)]
pub(crate) async fn exclusive(worker: &mut Worker) -> String {
    worker.visits += 1;
    worker.visits.to_string()
}

#[session(protected)]
pub(crate) async fn untouched(worker: &mut Worker) -> String {
    worker.visits.to_string()
}

#[session(protected)]
pub(crate) async fn failing(worker: &mut Worker) -> StatusCode {
    worker.visits += 1000;
    StatusCode::INTERNAL_SERVER_ERROR
}

#[session(protected)]
pub(crate) async fn owned(session: Session<Worker>) -> String {
    session.visits.to_string()
}

#[session(optional)]
pub(crate) async fn slot(slot: SessionSlot<Worker>) -> String {
    slot.get().map_or_else(String::new, |worker| worker.visits.to_string())
}

#[session(protected(Worker))]
pub(crate) async fn guarded() {}

#[session(protected)]
pub(crate) async fn raise(worker: &mut Worker) {
    worker.level += 1;
}

#[session(protected)]
pub(crate) async fn rotate(mut session: Session<Worker>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
pub(crate) async fn refresh(mut session: Session<Worker>) -> Result<(), Error> {
    session.mark_reauthenticated().await
}

#[session(protected)]
pub(crate) async fn leave(mut session: Session<Worker>) -> Result<(), Error> {
    session.update(|worker| worker.notice = Some("saved".into())).await
}

#[session(protected)]
pub(crate) async fn slow(worker: &mut Worker, Extension(gate): Extension<Gate>) -> String {
    worker.visits += 10;
    gate.pass().await;
    worker.visits.to_string()
}

/// A handle that is kept for long, as a WebSocket's is.
#[session(protected)]
pub(crate) async fn slow_handle(
    mut session: Session<Worker>,
    Extension(gate): Extension<Gate>,
) -> Result<String, Error> {
    gate.pass().await;
    session.update(|worker| worker.visits += 100).await?;
    Ok(session.visits.to_string())
}

#[derive(Deserialize)]
pub(crate) struct Number {
    #[expect(dead_code, reason = "it is there to be refused")]
    number: u32,
}

#[session(protected)]
pub(crate) async fn with_a_form(worker: &Worker, Form(_number): Form<Number>) -> String {
    worker.visits.to_string()
}

pub(crate) async fn snapshot(worker: Worker) -> String {
    worker.visits.to_string()
}

pub(crate) async fn plain() {}

pub(crate) async fn served(sessions: Sessions<Worker>, gate: &Gate) -> Served {
    let gate = Extension(gate.clone());
    let (slow, slow_handle): (MethodRouter<_, Infallible>, MethodRouter<_, Infallible>) =
        (post(slow), post(slow_handle));
    let router = Router::new()
        .route("/plain", get(plain))
        .route_layer(sessions.protect())
        .route("/login", post(login))
        .route("/shared", get(shared))
        .route("/exclusive", post(exclusive))
        .route("/untouched", post(untouched))
        .route("/failing", post(failing))
        .route("/owned", get(owned))
        .route("/slot", get(slot))
        .route("/guarded", get(guarded))
        .route("/raise", post(raise))
        .route("/rotate", post(rotate))
        .route("/refresh", post(refresh))
        .route("/leave", post(leave))
        .route("/with-a-form", post(with_a_form))
        .route("/snapshot", get(snapshot))
        .route("/slow", post(slow.layer(gate.clone())))
        .route("/slow-handle", post(slow_handle.layer(gate)));
    serve(router.with_state(sessions)).await
}

pub(crate) async fn server(store: &Store, clock: &ManualClock, gate: &Gate) -> Served {
    served(store.builder().clock(clock.clone()).open().await.unwrap(), gate).await
}

pub(crate) async fn logged_in(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    client
}

pub(crate) fn token(client: &Client) -> String {
    client.cookie(COOKIE).expect("the client has a session's cookie")
}

pub(crate) async fn with(server: &Served, method: Method, path: &str, token: &str) -> Reply {
    send_with(server, method, path, &format!("{COOKIE}={token}")).await
}
