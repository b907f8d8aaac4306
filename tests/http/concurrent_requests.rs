//! Requests that meet in one session.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension, Router,
    http::Method,
    routing::{MethodRouter, post},
};
use session_runtime::{Error, Session, Sessions, session};
use session_tests::{Client, Reply, Served, serve};
use tokio::task::JoinHandle;

use crate::support::{COOKIE, Gate, Store, User, assert_problem, is_alive, logged_in, on_every_backend, routes, token};

#[session(protected)]
async fn slow(user: &mut User, Extension(gate): Extension<Gate>) -> String {
    user.visits += 100;
    gate.pass().await;
    user.visits.to_string()
}

#[session(protected)]
async fn slow_without_change(user: &mut User, Extension(gate): Extension<Gate>) -> String {
    gate.pass().await;
    user.name.clone()
}

#[session(protected, wait = "20ms")]
async fn impatient(user: &mut User) -> String {
    user.name.clone()
}

#[session(protected)]
async fn update(mut session: Session<User>) -> Result<String, Error> {
    session.update(|user| user.visits += 1).await?;
    Ok(session.visits.to_string())
}

#[session(protected)]
async fn slow_handle(session: Session<User>, Extension(gate): Extension<Gate>, what: String) -> Result<(), Error> {
    gate.pass().await;
    let mut session = session;
    match what.as_str() {
        "update" => session.update(|user| user.visits += 1).await,
        "rotate" => session.rotate_id().await,
        _ => session.end().await,
    }
}

async fn server(sessions: Sessions<User>, gate: &Gate) -> Served {
    let gate = Extension(gate.clone());
    let slow: MethodRouter<_, Infallible> = post(slow);
    let more = Router::new()
        .route("/slow", slow.layer(gate.clone()))
        .route("/slow-without-change", post(slow_without_change).layer(gate.clone()))
        .route("/slow-handle", post(slow_handle).layer(gate))
        .route("/impatient", post(impatient))
        .route("/update", post(update));
    serve(routes().merge(more).with_state(sessions)).await
}

fn send(client: &Client, path: &'static str) -> JoinHandle<Reply> {
    let client = client.clone();
    tokio::spawn(async move { client.post(path).await })
}

async fn a_session_that_ends_under_a_slow_exclusive_borrow_stays_ended(store: Store) {
    let gate = Gate::new();
    let server = server(store.sessions().await, &gate).await;
    let client = logged_in(&server, "ann").await;
    let kept = token(&client);
    let slow = send(&client, "/slow");
    gate.arrival().await;
    assert_eq!(client.post("/logout").await.status, 303);
    gate.open();
    let reply = slow.await.unwrap();
    assert_problem(&reply, 409, "ended");
    assert!(reply.set_cookies().is_empty());
    assert!(!is_alive(&server, &kept).await);
    assert_eq!((store.records().await, client.cookie(COOKIE)), (0, None));
}

async fn a_login_under_a_slow_exclusive_borrow_is_not_undone(store: Store) {
    let gate = Gate::new();
    let server = server(store.sessions().await, &gate).await;
    let client = logged_in(&server, "ann").await;
    let kept = token(&client);
    let slow = send(&client, "/slow");
    gate.arrival().await;
    client.post_form("/login", &[("name", "bob")]).await;
    gate.open();
    assert_problem(&slow.await.unwrap(), 409, "ended");
    assert_eq!(client.get("/me").await.json::<User>(), User { name: "bob".into(), visits: 0 });
    assert!(!is_alive(&server, &kept).await);
    assert_eq!(store.records().await, 1);
}

async fn a_rotation_under_a_slow_exclusive_borrow_stands_and_the_borrower_is_told(store: Store) {
    let gate = Gate::new();
    let server = server(store.sessions().await, &gate).await;
    let client = logged_in(&server, "ann").await;
    let old = token(&client);
    let slow = send(&client, "/slow");
    gate.arrival().await;
    assert_eq!(client.post("/rotate").await.status, 200);
    gate.open();
    let reply = slow.await.unwrap();
    assert_problem(&reply, 409, "conflict");
    assert!(reply.set_cookies().is_empty());
    assert_ne!(token(&client), old);
    assert_eq!(client.get("/me").await.json::<User>().visits, 0);
    assert!(!is_alive(&server, &old).await, "the old id is not re-created");
}

async fn readers_never_wait_for_a_writer_and_see_what_was_there_before(store: Store) {
    let gate = Gate::new();
    let server = server(store.sessions().await, &gate).await;
    let client = logged_in(&server, "ann").await;
    let slow = send(&client, "/slow");
    gate.arrival().await;
    for _ in 0..5 {
        assert_eq!(client.get("/me").await.json::<User>().visits, 0);
        assert_eq!(client.get("/").await.text(), "ann");
    }
    gate.open();
    assert_eq!(slow.await.unwrap().text(), "100");
    assert_eq!(client.get("/me").await.json::<User>().visits, 100);
}

async fn a_writer_waits_for_the_one_before_wherever_it_runs(store: Store) {
    let gate = Gate::new();
    let (one, other) = (server(store.sessions().await, &gate).await, server(store.sessions().await, &gate).await);
    let client = logged_in(&one, "ann").await;
    let slow = send(&client, "/slow");
    gate.arrival().await;
    let waiting = [send(&client, "/visit"), send(&client.at(&other.url()), "/visit"), send(&client, "/update")];
    gate.open();
    assert_eq!(slow.await.unwrap().text(), "100", "nobody came between");
    let mut answers = Vec::new();
    for reply in waiting {
        answers.push(reply.await.unwrap().text().to_owned());
    }
    answers.sort_unstable();
    assert_eq!(answers, ["101", "102", "103"]);
}

async fn who_waited_too_long_is_told_to_try_again(store: Store) {
    let gate = Gate::new();
    let sessions = store.builder().wait(Duration::from_millis(40)).open().await.unwrap();
    let server = server(sessions, &gate).await;
    let client = logged_in(&server, "ann").await;
    let slow = send(&client, "/slow");
    gate.arrival().await;
    for path in ["/impatient", "/visit", "/update"] {
        let reply = client.post(path).await;
        assert_problem(&reply, 409, "busy");
        assert!(reply.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{path}");
        assert!(reply.set_cookies().is_empty());
    }
    gate.open();
    assert_eq!(slow.await.unwrap().text(), "100");
    assert_eq!(client.post("/impatient").await.text(), "ann");
}

async fn a_handle_on_a_session_that_has_ended_brings_nothing_back(store: Store) {
    let gate = Gate::new();
    let server = server(store.sessions().await, &gate).await;
    for what in ["update", "rotate", "end"] {
        let client = logged_in(&server, "ann").await;
        let slow = {
            let client = client.clone();
            let send = async move { client.send(Method::POST, "/slow-handle", |request| request.body(what)).await };
            tokio::spawn(send)
        };
        gate.arrival().await;
        client.post("/logout").await;
        gate.open();
        let reply = slow.await.unwrap();
        if what == "end" {
            assert_eq!(reply.status, 200, "it has ended, as was asked for");
        } else {
            assert_problem(&reply, 409, "ended");
            assert!(reply.set_cookies().is_empty(), "{what}");
        }
        assert_eq!((store.records().await, client.cookie(COOKIE)), (0, None), "{what}");
    }
}

async fn of_many_rotations_at_once_one_wins_and_its_token_is_the_session(store: Store) {
    let gate = Gate::new();
    let (one, other) = (server(store.sessions().await, &gate).await, server(store.sessions().await, &gate).await);
    let client = logged_in(&one, "ann").await;
    let old = token(&client);
    let requests: Vec<_> =
        (0..16).map(|i| send(&if i % 2 == 0 { client.clone() } else { client.at(&other.url()) }, "/rotate")).collect();
    let mut won = 0;
    for request in requests {
        let reply = request.await.unwrap();
        match reply.status.as_u16() {
            200 => won += 1,
            // A request that was sent after the winner's answer carries the new token, and rotates again.
            401 => assert!(reply.set_cookies().is_empty()),
            _ => assert_problem(&reply, 409, "ended"),
        }
    }
    assert!(won >= 1);
    assert!(!is_alive(&one, &old).await);
    assert_eq!(store.records().await, 1, "whoever won, it is one session");
}

on_every_backend!(
    a_handle_on_a_session_that_has_ended_brings_nothing_back,
    of_many_rotations_at_once_one_wins_and_its_token_is_the_session,
    a_session_that_ends_under_a_slow_exclusive_borrow_stays_ended,
    a_login_under_a_slow_exclusive_borrow_is_not_undone,
    a_rotation_under_a_slow_exclusive_borrow_stands_and_the_borrower_is_told,
    readers_never_wait_for_a_writer_and_see_what_was_there_before,
    a_writer_waits_for_the_one_before_wherever_it_runs,
    who_waited_too_long_is_told_to_try_again,
);

#[tokio::test]
async fn a_borrower_who_changed_nothing_has_nothing_to_be_told() {
    let (store, gate) = (Store::memory(), Gate::new());
    let server = server(store.sessions().await, &gate).await;
    let client = logged_in(&server, "ann").await;
    let slow = send(&client, "/slow-without-change");
    gate.arrival().await;
    client.post("/logout").await;
    gate.open();
    assert_eq!(slow.await.unwrap().text(), "ann");
    assert_eq!(store.records().await, 0);
}
