//! A bound session of a type with other options: sealed data, ids that are rotated on a schedule, and `clear_site_data`.

use std::time::Duration;

use axum::{
    Router,
    http::{Method, header::COOKIE},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{
    Client, Device, Reply, Served,
    device::{Offer, challenge},
    serve,
};

use super::{MINUTE, SECOND};
use crate::support::{Store, assert_problem, key, on_every_backend};

const NAME: &str = "__Host-safe";
const PATH: &str = "/.session/safe/device";

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, encrypt, rotate_every = "15m", clear_site_data)]
struct Safe {
    opened: u32,
}

#[session(optional)]
async fn begin(slot: SessionSlot<Safe>) -> Result<(), Error> {
    slot.start(Safe { opened: 0 }).await
}

#[session(protected)]
async fn open(safe: &mut Safe) -> String {
    safe.opened += 1;
    safe.opened.to_string()
}

#[session(protected)]
async fn look(safe: &Safe) -> String {
    safe.opened.to_string()
}

#[session(protected)]
async fn leave(safe: Session<Safe>) -> Result<(), Error> {
    safe.end().await
}

async fn process(store: &Store, clock: &ManualClock, keys: &str) -> Served {
    let safes: Sessions<Safe> = store.builder().key(keys).clock(clock.clone()).open().await.unwrap();
    let router = Router::new()
        .route("/begin", post(begin))
        .route("/open", post(open))
        .route("/look", get(look))
        .route("/leave", post(leave))
        .merge(safes.device_routes());
    serve(router.with_state(safes)).await
}

/// A browser whose session is bound, its identifier, and the challenge for the next time.
async fn bound(server: &Served) -> (Client, String, String) {
    let client = server.client();
    let offer = Offer::of(&client.post("/begin").await).expect("an offer");
    let reply = Device::new(1).register(&client, &offer).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let session = reply.json::<Value>()["session_identifier"].as_str().unwrap().to_owned();
    (client, session, challenge(&reply.headers).unwrap())
}

async fn refresh(client: &Client, session: &str, next: &str) -> String {
    let reply = Device::new(1).refresh(client, PATH, session, next).await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    challenge(&reply.headers).unwrap()
}

async fn stolen(server: &Served, token: &str) -> Reply {
    let cookie = format!("{NAME}={token}");
    server.client().send(Method::GET, "/look", |request| request.header(COOKIE, cookie)).await
}

async fn sealed_data_stays_readable_across_proofs_and_new_keys(store: Store) {
    let clock = ManualClock::new();
    let server = process(&store, &clock, &key('k')).await;
    let (client, session, next) = bound(&server).await;
    assert_eq!(client.post("/open").await.text(), "1");
    clock.advance(MINUTE);
    let next = refresh(&client, &session, &next).await;
    assert_eq!(client.post("/open").await.text(), "2");

    // A proof seals the record under the newest key.
    let newer = process(&store, &clock, &format!("{},{}", key('n'), key('k'))).await;
    clock.advance(MINUTE);
    let next = refresh(&client.at(&newer.url()), &session, &next).await;
    assert_eq!(client.at(&newer.url()).get("/look").await.text(), "2");
    let newest = process(&store, &clock, &key('n')).await;
    clock.advance(MINUTE);
    refresh(&client.at(&newest.url()), &session, &next).await;
    assert_eq!(client.at(&newest.url()).get("/look").await.text(), "2");
}

async fn a_scheduled_rotation_keeps_the_binding(store: Store) {
    let clock = ManualClock::new();
    let (server, other) = (process(&store, &clock, &key('k')).await, process(&store, &clock, &key('k')).await);
    let (client, session, next) = bound(&server).await;
    clock.advance(9 * MINUTE);
    let next = refresh(&client, &session, &next).await;
    clock.advance(7 * MINUTE);
    let before = client.cookie(NAME).unwrap();
    let rotated = client.post("/open").await;
    assert_eq!(rotated.text(), "1");
    let after = client.cookie(NAME).unwrap();
    assert_ne!(before, after, "the id was due");
    assert!(Offer::of(&rotated).is_none(), "it is bound");
    assert_eq!(client.at(&other.url()).get("/look").await.text(), "1", "the device's cookie holds for the new id");
    for token in [before, after] {
        assert_problem(&stolen(&other, &token).await, 401, "device-unproven");
    }
    clock.advance(2 * MINUTE);
    refresh(&client.at(&other.url()), &session, &next).await;
    assert_eq!(client.post("/open").await.text(), "2");
}

async fn a_scheduled_rotation_offers_again_what_was_not_taken(store: Store) {
    let clock = ManualClock::new();
    let server = process(&store, &clock, &key('k')).await;
    let client = server.client();
    let first = Offer::of(&client.post("/begin").await).unwrap();
    clock.advance(16 * MINUTE);
    let second = Offer::of(&client.post("/open").await).expect("a new token comes with an offer");
    assert_ne!(first.challenge, second.challenge);
    assert_eq!(Device::new(1).register(&client, &first).await.status, 401);
    assert_eq!(Device::new(1).register(&client, &second).await.status, 200);
    clock.advance(31 * SECOND);
    assert_eq!(client.post("/open").await.text(), "2");
    assert_problem(&stolen(&server, &client.cookie(NAME).unwrap()).await, 401, "device-unproven");
}

async fn a_logout_clears_the_site_and_ends_the_binding(store: Store) {
    let clock = ManualClock::new();
    let server = process(&store, &clock, &key('k')).await;
    let (client, session, next) = bound(&server).await;
    clock.advance(Duration::from_secs(31));
    let logout = client.post("/leave").await;
    assert_eq!(logout.status, 200, "{}", logout.text());
    // Browsers end a binding by `"cookies"` alone.
    assert!(logout.header("clear-site-data").is_some_and(|what| what.contains("\"cookies\"")));
    let removed = logout.set_cookies().into_iter().filter(|cookie| cookie.contains("Max-Age=0")).count();
    assert_eq!(removed, 2, "{:?}", logout.set_cookies());
    assert_eq!((client.cookie(NAME), client.cookie("__Host-safe-device")), (None, None));
    let refreshed = Device::new(1).refresh(&client, PATH, &session, &next).await;
    assert_eq!((refreshed.status.as_u16(), &refreshed.json::<Value>()["continue"]), (200, &Value::Bool(false)));
}

on_every_backend![
    sealed_data_stays_readable_across_proofs_and_new_keys,
    a_scheduled_rotation_keeps_the_binding,
    a_scheduled_rotation_offers_again_what_was_not_taken,
    a_logout_clears_the_site_and_ends_the_binding,
];
