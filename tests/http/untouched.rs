//! `touch = off`, `peek` and `Peek<T>`: requests that look at a session and are no use of it.

use std::time::{Duration, SystemTime};

use axum::{
    Extension, Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use redis::cmd;
use serde::{Deserialize, Serialize};
use session_runtime::{
    Clock, Error, Peek, Session, SessionData, SessionSlot, Sessions, Snapshot, session, testing::ManualClock,
};
use session_tests::{Client, Served, serve};

use crate::support::{Store, key, on_every_backend};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(idle = "30m", lifetime = "10h", rotate_every = "4h")]
struct Guest {
    visits: u32,
    #[session(flash)]
    notice: Option<String>,
}

#[session(optional)]
async fn login(slot: SessionSlot<Guest>) -> Result<(), Error> {
    slot.start(Guest { visits: 0, notice: Some("welcome".into()) }).await
}

#[session(protected)]
async fn shared(guest: &Guest) -> String {
    guest.notice.clone().unwrap_or_default()
}

#[session(protected)]
async fn exclusive(_guest: &mut Guest) {}

#[session(protected, touch = off)]
async fn look(guest: &Guest) -> String {
    guest.notice.clone().unwrap_or_default()
}

#[session(optional, touch = off)]
async fn look_if_there(guest: Option<&Guest>) -> String {
    guest.map_or_else(String::new, |guest| guest.visits.to_string())
}

#[session(protected, touch = off)]
async fn look_at_the_handle(session: Session<Guest>, clock: Extension<ManualClock>) -> String {
    minutes(session.idle_expires_at(), &clock)
}

#[session(optional, touch = off)]
async fn look_at_the_slot(slot: SessionSlot<Guest>) -> String {
    slot.get().map_or_else(String::new, |guest| guest.visits.to_string())
}

#[session(protected(Guest), touch = off)]
async fn behind_a_guard() {}

async fn peek(Peek(guest): Peek<Guest>) -> String {
    guest.visits.to_string()
}

async fn peek_if_there(guest: Option<Peek<Guest>>) -> String {
    guest.map_or_else(|| "anonymous".into(), |Peek(guest)| guest.visits.to_string())
}

/// How many minutes are left, as the handle says.
#[session(protected)]
async fn left(session: Session<Guest>, clock: Extension<ManualClock>) -> String {
    minutes(session.idle_expires_at(), &clock)
}

/// The same under `touch = off`, once it was touched explicitly.
#[session(protected, touch = off)]
async fn touched(session: Session<Guest>, clock: Extension<ManualClock>) -> Result<String, Error> {
    let before = minutes(session.idle_expires_at(), &clock);
    session.touch().await?;
    Ok(format!("{before} {}", minutes(session.idle_expires_at(), &clock)))
}

#[session(protected, touch = off)]
async fn changed(mut session: Session<Guest>, clock: Extension<ManualClock>) -> Result<String, Error> {
    session.update(|guest| guest.visits += 1).await?;
    Ok(minutes(session.idle_expires_at(), &clock))
}

fn minutes(moment: SystemTime, clock: &ManualClock) -> String {
    let left = moment.duration_since(clock.now().into()).unwrap();
    (left.as_secs() / 60).to_string()
}

/// What a middleware was told, for what is behind it.
async fn by_peek(State(guests): State<Sessions<Guest>>, request: Request, next: Next) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let found = guests.peek(&parts).await?;
    answer(found, Request::from_parts(parts, body), next).await
}

async fn by_peek_once(State(guests): State<Sessions<Guest>>, request: Request, next: Next) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    let found = guests.peek_once(&mut parts).await?;
    answer(found, Request::from_parts(parts, body), next).await
}

async fn answer(found: Option<Snapshot<Guest>>, request: Request, next: Next) -> Result<Response, Error> {
    match found {
        Some(_) => Ok(next.run(request).await),
        None => Ok(axum::http::StatusCode::UNAUTHORIZED.into_response()),
    }
}

const LOOKS: [&str; 11] = [
    "/look",
    "/look-if-there",
    "/look-at-the-handle",
    "/look-at-the-slot",
    "/behind-a-guard",
    "/peek",
    "/peek-if-there",
    "/layer/nothing",
    "/layer/look",
    "/middleware/look",
    "/middleware-once/look",
];

const USES: [&str; 5] = ["/shared", "/exclusive", "/layer/shared", "/middleware/shared", "/middleware-once/shared"];

async fn served(sessions: Sessions<Guest>, clock: &ManualClock) -> Served {
    let behind =
        || Router::new().route("/look", get(look)).route("/shared", get(shared)).route("/nothing", get(async || ()));
    let router = Router::new()
        .route("/login", post(login))
        .route("/shared", get(shared))
        .route("/exclusive", get(exclusive))
        .route("/look", get(look))
        .route("/look-if-there", get(look_if_there))
        .route("/look-at-the-handle", get(look_at_the_handle))
        .route("/look-at-the-slot", get(look_at_the_slot))
        .route("/behind-a-guard", get(behind_a_guard))
        .route("/peek", get(peek))
        .route("/peek-if-there", get(peek_if_there))
        .route("/left", get(left))
        .route("/touched", post(touched))
        .route("/changed", post(changed))
        .nest("/layer", behind().route_layer(sessions.protect().touch_off()))
        .nest("/middleware", behind().route_layer(from_fn_with_state(sessions.clone(), by_peek)))
        .nest("/middleware-once", behind().route_layer(from_fn_with_state(sessions.clone(), by_peek_once)))
        .layer(Extension(clock.clone()));
    serve(router.with_state(sessions)).await
}

async fn server(store: &Store, clock: &ManualClock) -> Served {
    served(store.builder().clock(clock.clone()).open().await.unwrap(), clock).await
}

async fn logged_in(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    client
}

async fn a_session_that_is_only_looked_at_ends_with_its_idle_timeout(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock).await;
    for path in LOOKS {
        let client = logged_in(&server).await;
        for _ in 0..4 {
            clock.advance(7 * MINUTE);
            assert_eq!(client.get(path).await.status, 200, "{path}");
        }
        // A minute more, since a store may note a use that much late.
        clock.advance(4 * MINUTE);
        assert_eq!(client.get("/shared").await.status, 401, "{path}");
    }
}

async fn a_use_behind_a_look_is_noted(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock).await;
    for path in USES {
        let client = logged_in(&server).await;
        for _ in 0..3 {
            clock.advance(25 * MINUTE);
            assert_eq!(client.get(path).await.status, 200, "{path}");
        }
    }
}

/// Redis keeps the idle timeout itself.
#[tokio::test]
async fn on_redis_a_look_leaves_the_expiry_of_the_record_alone() {
    let (store, clock) = (Store::redis().await, ManualClock::new());
    let Store::Redis(redis) = &store else { unreachable!() };
    let server = server(&store, &clock).await;
    let client = logged_in(&server).await;
    let mut connection = redis.connect().await;
    let record: Vec<String> = cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    const LEFT: u64 = 1_000_000;
    cmd("PEXPIRE").arg(&record[0]).arg(LEFT).exec_async(&mut connection).await.unwrap();
    let mut left = async || cmd("PTTL").arg(&record[0]).query_async::<u64>(&mut connection).await.unwrap();
    for path in LOOKS {
        assert_eq!(client.get(path).await.status, 200);
        assert!(left().await <= LEFT, "{path}");
    }
    assert_eq!(client.get("/shared").await.status, 200);
    assert!(left().await > LEFT, "a use slides it");
}

async fn a_look_takes_no_flash_and_rotates_no_id(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock).await;
    let client = logged_in(&server).await;
    for _ in 0..11 {
        // The handle reads no flash, and its id is rotated when that is due.
        assert_eq!(client.get("/left").await.status, 200);
        clock.advance(20 * MINUTE);
    }
    assert_eq!(client.get("/left").await.set_cookies().len(), 0, "it is not due yet");
    clock.advance(25 * MINUTE);
    for path in LOOKS {
        let reply = client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies()), (200, vec![]), "{path}");
        assert!(!reply.text().contains("welcome"), "{path}: it is shown once, on a page that a person sees");
    }
    let reply = client.get("/shared").await;
    assert_eq!((reply.text(), reply.set_cookies().len()), ("welcome", 1), "both were still due");
}

async fn a_session_tells_when_it_ends_if_nobody_uses_it(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock).await;
    let client = logged_in(&server).await;
    let left = async |path: &str| client.get(path).await.text().to_owned();
    assert_eq!(left("/left").await, "30");
    clock.advance(10 * MINUTE);
    for _ in 0..2 {
        assert_eq!(left("/look-at-the-handle").await, "20");
    }
    assert_eq!(left("/left").await, "30");
    assert_eq!(left("/look-at-the-handle").await, "30");
    clock.advance(10 * MINUTE);
    assert_eq!(client.post("/touched").await.text(), "20 30");
    clock.advance(10 * MINUTE);
    assert_eq!(client.post("/changed").await.text(), "30");
    clock.advance(29 * MINUTE);
    for _ in 0..18 {
        assert_eq!(left("/left").await, "30");
        clock.advance(29 * MINUTE);
    }
    let end: u32 = left("/left").await.parse().unwrap();
    assert_eq!(end, 600 - 30 - 19 * 29, "its lifetime ends first");
}

on_every_backend!(
    a_look_takes_no_flash_and_rotates_no_id,
    a_session_tells_when_it_ends_if_nobody_uses_it,
    a_session_that_is_only_looked_at_ends_with_its_idle_timeout,
    a_use_behind_a_look_is_noted,
);

#[tokio::test]
async fn an_anonymous_request_is_answered_as_it_is_with_a_use() {
    let server = server(&Store::memory(), &ManualClock::new()).await;
    let client = server.client();
    for path in ["/look", "/peek", "/behind-a-guard", "/layer/nothing"] {
        assert_eq!(client.get(path).await.status, 401, "{path}");
    }
    assert_eq!(client.get("/peek-if-there").await.text(), "anonymous");
    assert_eq!(client.get("/look-if-there").await.text(), "");
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"), idle = "30m")]
struct Carried;

#[session(optional)]
async fn carry(slot: SessionSlot<Carried>) -> Result<(), Error> {
    slot.start(Carried).await
}

#[session(protected)]
async fn left_of_the_carried(session: Session<Carried>, clock: Extension<ManualClock>) -> String {
    minutes(session.idle_expires_at(), &clock)
}

#[session(protected, touch = off)]
async fn look_at_the_carried(session: Session<Carried>, clock: Extension<ManualClock>) -> String {
    minutes(session.idle_expires_at(), &clock)
}

#[tokio::test]
async fn a_session_that_its_token_carries_is_looked_at_without_a_new_token() {
    let clock = ManualClock::new();
    let sessions = Sessions::<Carried>::builder().key(&key('k')).clock(clock.clone()).open().await.unwrap();
    let router = Router::new()
        .route("/login", post(carry))
        .route("/left", get(left_of_the_carried))
        .route("/look", get(look_at_the_carried))
        .layer(Extension(clock.clone()));
    let server = serve(router.with_state(sessions)).await;
    let client = logged_in(&server).await;
    clock.advance(20 * MINUTE);
    for _ in 0..2 {
        let reply = client.get("/look").await;
        assert_eq!((reply.text(), reply.set_cookies()), ("10", vec![]));
    }
    assert_eq!(client.get("/left").await.set_cookies().len(), 1, "a use is noted");
    assert_eq!(client.get("/look").await.text(), "30");
}
