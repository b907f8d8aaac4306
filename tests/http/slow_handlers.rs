//! Handlers that take their time: what becomes of the session meanwhile, and what their answers may still say.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension, Router,
    extract::FromRef,
    http::{Method, request::Parts},
    routing::{MethodRouter, get, post},
};
use redis::cmd;
use serde::{Deserialize, Serialize};
use session_runtime::{Builder, Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Reply, Served, serve, wait};

use crate::support::{Events, Gate, Store, assert_problem, key, on_every_backend};

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(rotate_every = "15m")]
struct Guest {
    visits: u32,
}

const COOKIE: &str = "__Host-guest";

#[session(optional)]
async fn login(slot: SessionSlot<Guest>) -> Result<(), Error> {
    slot.start(Guest { visits: 0 }).await
}

#[session(optional)]
async fn logout(slot: SessionSlot<Guest>) -> Result<(), Error> {
    slot.end().await
}

#[session(protected)]
async fn rotate(mut session: Session<Guest>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
async fn quick(guest: &Guest) -> String {
    guest.visits.to_string()
}

#[session(protected)]
async fn slow(_guest: &Guest, Extension(gate): Extension<Gate>) {
    gate.pass().await;
}

#[session(protected(Guest))]
async fn slow_guarded(Extension(gate): Extension<Gate>) {
    gate.pass().await;
}

#[session(protected)]
async fn slow_handle(_session: Session<Guest>, Extension(gate): Extension<Gate>) {
    gate.pass().await;
}

/// Rotates at once, and answers much later.
#[session(protected)]
async fn slow_rotation(mut session: Session<Guest>, Extension(gate): Extension<Gate>) -> Result<(), Error> {
    session.rotate_id().await?;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    gate.pass().await;
    Ok(())
}

#[session(protected)]
async fn slow_exclusive(guest: &mut Guest, Extension(gate): Extension<Gate>) {
    guest.visits += 1;
    gate.pass().await;
}

async fn plain(Extension(gate): Extension<Gate>) {
    gate.pass().await;
}

async fn served(builder: Builder<Guest>, gate: &Gate) -> Served {
    let sessions = builder.open().await.unwrap();
    let gate = Extension(gate.clone());
    let plain: MethodRouter<Sessions<Guest>, Infallible> = get(plain);
    let slow = Router::new()
        .route("/behind", plain)
        .route_layer(sessions.protect())
        .route("/slow", get(slow))
        .route("/slow-guarded", get(slow_guarded))
        .route("/slow-handle", get(slow_handle))
        .route("/slow-rotation", get(slow_rotation))
        .route("/slow-exclusive", post(slow_exclusive))
        .layer(gate);
    let router = Router::new()
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/rotate", post(rotate))
        .route("/quick", get(quick));
    serve(router.merge(slow).with_state(sessions)).await
}

async fn logged_in(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    client
}

/// A request on its way, with the cookie that the client has now and a jar of its own.
fn on_its_way(client: &Client, server: &Served, path: &'static str) -> tokio::task::JoinHandle<session_tests::Reply> {
    let (cookie, apart) = (format!("{COOKIE}={}", client.cookie(COOKIE).unwrap()), server.client());
    tokio::spawn(async move { apart.send(Method::GET, path, |request| request.header("cookie", cookie)).await })
}

/// What ends the token that a slow answer has to tell.
const ENDS: [&str; 3] = ["/login", "/logout", "/rotate"];

async fn a_scheduled_rotations_token_is_not_told_once_its_session_has_ended(store: Store) {
    let (clock, gate) = (ManualClock::new(), Gate::new());
    let server = served(store.builder().clock(clock.clone()), &gate).await;
    for path in ["/slow", "/slow-guarded", "/slow-handle"] {
        for end in ENDS {
            let client = logged_in(&server).await;
            clock.advance(Duration::from_secs(15 * 60));
            let slow = on_its_way(&client, &server, path);
            gate.arrival().await;
            // The old id is in its grace.
            assert_eq!(client.post(end).await.status, 200, "{path}, then {end}");
            gate.open();
            let slow = slow.await.unwrap();
            assert_eq!((slow.status.as_u16(), slow.set_cookies()), (200, vec![]), "{path}, then {end}");
        }
        let client = logged_in(&server).await;
        clock.advance(Duration::from_secs(15 * 60));
        let slow = on_its_way(&client, &server, path);
        gate.arrival().await;
        gate.open();
        assert_eq!(slow.await.unwrap().set_cookies().len(), 1, "{path}: one that lives is told");
    }
}

async fn a_token_under_a_newer_key_is_not_told_once_its_session_has_ended(store: Store) {
    let gate = Gate::new();
    let old = served(store.builder().key(&key('o')), &gate).await;
    let server = served(store.builder().key(&format!("{},{}", key('n'), key('o'))), &gate).await;
    for path in ["/slow", "/slow-guarded", "/slow-handle", "/behind"] {
        for end in ENDS {
            let client = logged_in(&old).await;
            let slow = on_its_way(&client, &server, path);
            gate.arrival().await;
            assert_eq!(client.at(&server.url()).post(end).await.status, 200);
            gate.open();
            let slow = slow.await.unwrap();
            assert_eq!((slow.status.as_u16(), slow.set_cookies()), (200, vec![]), "{path}, then {end}");
        }
    }
}

async fn a_token_that_a_handler_asked_for_is_not_told_once_its_session_has_ended(store: Store) {
    let gate = Gate::new();
    let server = served(store.builder(), &gate).await;
    for ends in [true, false] {
        let client = logged_in(&server).await;
        let held = on_its_way(&client, &server, "/slow-handle");
        gate.arrival().await;
        let slow = on_its_way(&client, &server, "/slow-rotation");
        gate.arrival().await;
        if ends {
            // Nobody but the slow handler knows the new token: it is ended as an administrator does it.
            store.forget_all().await;
        }
        gate.open();
        gate.open();
        held.await.unwrap();
        let slow = slow.await.unwrap();
        assert_eq!((slow.status.as_u16(), slow.set_cookies().len()), (200, usize::from(!ends)));
    }
}

on_every_backend!(
    a_scheduled_rotations_token_is_not_told_once_its_session_has_ended,
    a_token_under_a_newer_key_is_not_told_once_its_session_has_ended,
    a_token_that_a_handler_asked_for_is_not_told_once_its_session_has_ended,
    a_handler_that_waits_for_its_second_session_keeps_the_first,
);

const LEASE: Duration = Duration::from_millis(300);

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Basket {
    items: u32,
}

#[derive(Clone, FromRef)]
struct Both {
    baskets: Sessions<Basket>,
    guests: Sessions<Guest>,
}

#[session(or_default(Basket), protected(Guest))]
async fn both(basket: &mut Basket, guest: &mut Guest) -> String {
    basket.items += 1;
    guest.visits += 1;
    format!("{} {}", basket.items, guest.visits)
}

async fn a_handler_that_waits_for_its_second_session_keeps_the_first(store: Store) {
    let gate = Gate::new();
    let patient = Duration::from_secs(60);
    let state = Both {
        baskets: store.builder().lease(LEASE).wait(patient).open().await.unwrap(),
        guests: store.builder().lease(LEASE).wait(patient).open().await.unwrap(),
    };
    let router = Router::new()
        .route("/login", post(login))
        .route("/both", post(both))
        .route("/slow-exclusive", post(slow_exclusive))
        .layer(Extension(gate.clone()));
    let server = serve(router.with_state(state)).await;
    let client = logged_in(&server).await;
    assert_eq!(client.post("/both").await.text(), "1 1");
    let send = |path: &'static str| {
        let client = client.clone();
        tokio::spawn(async move { client.post(path).await })
    };
    // Locks are taken in the order of the types' names: the basket is held while the guest is waited for.
    let first = send("/slow-exclusive");
    gate.arrival().await;
    let second = send("/both");
    tokio::time::sleep(4 * LEASE).await;
    assert!(!second.is_finished());
    gate.open();
    assert_eq!(first.await.unwrap().status, 200);
    let second = second.await.unwrap();
    assert_eq!((second.status.as_u16(), second.text()), (200, "2 3"));
}

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(verify = ask)]
struct Watched {
    visits: u32,
}

async fn ask(_: &Watched, parts: &Parts) -> bool {
    if let Some(gate) = parts.extensions.get::<Gate>() {
        gate.pass().await;
    }
    true
}

#[session(optional)]
async fn watch(slot: SessionSlot<Watched>) -> Result<(), Error> {
    slot.start(Watched { visits: 0 }).await
}

#[session(protected)]
async fn watched(watched: &mut Watched) -> String {
    watched.visits += 1;
    watched.visits.to_string()
}

#[tokio::test]
async fn a_lease_is_kept_while_verify_is_asked() {
    let gate = Gate::new();
    let sessions = Sessions::<Watched>::builder().ephemeral_key().lease(LEASE).open().await.unwrap();
    let visit: MethodRouter<Sessions<Watched>, Infallible> = post(watched);
    let router = Router::new().route("/visit", visit.layer(Extension(gate.clone()))).route("/login", post(watch));
    let server = serve(router.with_state(sessions)).await;
    let client = logged_in(&server).await;
    let slow = tokio::spawn(async move { client.post("/visit").await });
    gate.arrival().await;
    tokio::time::sleep(4 * LEASE).await;
    gate.open();
    let slow = slow.await.unwrap();
    assert_eq!((slow.status.as_u16(), slow.text()), (200, "1"));
}

#[tokio::test]
async fn a_lost_lease_is_told_once_and_not_as_another_requests_change() {
    let store = Store::redis().await;
    let Store::Redis(redis) = &store else { unreachable!() };
    let (events, gate) = (Events::listen(), Gate::new());
    let server = served(store.builder().lease(LEASE), &gate).await;
    let client = logged_in(&server).await;
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.post("/slow-exclusive").await }
    });
    gate.arrival().await;
    let mut connection = redis.connect().await;
    let leases: Vec<String> = cmd("KEYS").arg("*:lease").query_async(&mut connection).await.unwrap();
    assert_eq!(leases.len(), 1, "{leases:?}");
    cmd("DEL").arg(&leases).exec_async(&mut connection).await.unwrap();
    // Several extensions are due.
    tokio::time::sleep(4 * LEASE).await;
    gate.open();
    let reply = slow.await.unwrap();
    assert_problem(&reply, 409, "lease-lost");
    assert!(reply.text().contains("no other request has changed"), "{}", reply.text());
    assert_eq!((events.named("session.lease_lost").len(), events.named("session.conflict").len()), (1, 0));
    assert_eq!(client.get("/quick").await.text(), "0");
}

#[tokio::test]
async fn a_logout_under_a_slow_handler_is_told_as_the_end_and_as_no_lost_lease() {
    let (store, gate) = (Store::memory(), Gate::new());
    let events = Events::listen();
    let server = served(store.builder().lease(LEASE), &gate).await;
    let client = logged_in(&server).await;
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.post("/slow-exclusive").await }
    });
    gate.arrival().await;
    assert_eq!(client.post("/logout").await.status, 200);
    tokio::time::sleep(2 * LEASE).await;
    gate.open();
    assert_problem(&slow.await.unwrap(), 409, "ended");
    assert_eq!((events.named("session.lease_lost").len(), events.named("session.conflict").len()), (0, 1));
}

/// Long enough that what a handler passes on is as good as new for the next.
const BATCHED: Duration = Duration::from_millis(1500);

/// Three handlers of one session: the third runs on what the second has made, before that is stored. `before` the second
/// ends something happens, and then while the third is in the middle. What they are answered.
async fn batched(client: &Client, gate: &Gate, before: impl AsyncFnOnce(), during: impl AsyncFnOnce()) -> [Reply; 3] {
    let send = || {
        let client = client.clone();
        tokio::spawn(async move { client.post("/slow-exclusive").await })
    };
    let first = send();
    gate.arrival().await;
    let [second, third] = [send(), send()];
    // Both queue by then.
    tokio::time::sleep(BATCHED / 5).await;
    gate.open();
    gate.arrival().await;
    before().await;
    gate.open();
    gate.arrival().await;
    during().await;
    gate.open();
    [first.await.unwrap(), second.await.unwrap(), third.await.unwrap()]
}

#[tokio::test]
async fn a_lost_lease_is_told_once_by_all_in_a_batch() {
    let store = Store::redis().await;
    let Store::Redis(redis) = &store else { unreachable!() };
    let (events, gate) = (Events::listen(), Gate::new());
    let server = served(store.builder().lease(BATCHED), &gate).await;
    let client = logged_in(&server).await;
    let told = || (events.named("session.lease_lost").len(), events.named("session.conflict").len());
    let lose = async || {
        // The save before has ended.
        tokio::time::sleep(BATCHED / 5).await;
        let mut connection = redis.connect().await;
        let leases: Vec<String> = cmd("KEYS").arg("*:lease").query_async(&mut connection).await.unwrap();
        cmd("DEL").arg(&leases).exec_async(&mut connection).await.unwrap();
        wait::until(wait::ANSWER, "the lost lease is told", async || told().0 > 0).await;
    };
    let [first, second, third] = batched(&client, &gate, async || {}, lose).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200));
    assert_problem(&third, 409, "lease-lost");
    assert_eq!(told(), (1, 0));
    assert_eq!(client.get("/quick").await.text(), "2");
}

#[tokio::test]
async fn a_batch_that_another_write_ends_is_told_as_a_conflict_and_as_no_lost_lease() {
    let store = Store::redis().await;
    let (events, gate) = (Events::listen(), Gate::new());
    let server = served(store.builder().lease(BATCHED), &gate).await;
    let client = logged_in(&server).await;
    let stale = client.cookie(COOKIE).unwrap();
    let rotate = async || assert_eq!(client.post("/rotate").await.status, 200);
    // An extension is due.
    let [first, second, third] = batched(&client, &gate, rotate, async || tokio::time::sleep(BATCHED).await).await;
    assert_eq!(first.status, 200);
    assert_problem(&second, 409, "conflict");
    assert_problem(&third, 409, "conflict");
    assert_eq!((events.named("session.lease_lost").len(), events.named("session.conflict").len()), (0, 2));
    assert_ne!(client.cookie(COOKIE).unwrap(), stale);
    assert_eq!(client.get("/quick").await.text(), "1");
}
