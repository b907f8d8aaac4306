//! `slot.start(data).lifetime(..).persistent(..)`: remember me, and lifetimes of single logins.

use std::time::{Duration, SystemTime};

use axum::{
    Extension, Form, Router,
    extract::Path,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Clock, Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Reply, Served, serve};

use crate::support::{Store, key, on_every_backend};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "10d", lifetime = "30d")]
struct Reader {
    #[session(privilege)]
    level: u32,
}

#[derive(Deserialize)]
struct Login {
    days: Option<u32>,
    persistent: Option<bool>,
}

#[session(optional)]
async fn login(slot: SessionSlot<Reader>, Form(login): Form<Login>) -> Result<(), Error> {
    let mut start = slot.start(Reader { level: 0 });
    if let Some(days) = login.days {
        start = start.lifetime(days * DAY);
    }
    if let Some(persistent) = login.persistent {
        start = start.persistent(persistent);
    }
    start.await
}

/// A login that ends at a moment, some seconds from now.
#[session(optional)]
async fn login_until(
    slot: SessionSlot<Reader>,
    Extension(clock): Extension<ManualClock>,
    Path(seconds): Path<i64>,
    Form(login): Form<Login>,
) -> Result<(), Error> {
    let now = SystemTime::from(clock.now());
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let end = if seconds < 0 { now - distance } else { now + distance };
    let start = slot.start(Reader { level: 0 }).until(end).persistent(true);
    match login.days {
        Some(days) => start.lifetime(days * DAY).await,
        None => start.await,
    }
}

#[session(protected)]
async fn read(reader: &Reader) -> String {
    reader.level.to_string()
}

#[session(protected)]
async fn raise(reader: &mut Reader) {
    reader.level += 1;
}

#[session(protected)]
async fn rotate(mut session: Session<Reader>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
async fn remaining(session: Session<Reader>, clock: Extension<ManualClock>) -> String {
    let left = session.expires_at().duration_since(clock.now().into()).unwrap_or_default();
    (left.as_secs() / DAY.as_secs()).to_string()
}

async fn served(sessions: Sessions<Reader>, clock: &ManualClock) -> Served {
    let router = Router::new()
        .route("/login", post(login))
        .route("/login-until/{seconds}", post(login_until))
        .route("/", get(read))
        .route("/raise", post(raise))
        .route("/rotate", post(rotate))
        .route("/remaining", get(remaining))
        .layer(Extension(clock.clone()));
    serve(router.with_state(sessions)).await
}

async fn site(store: &Store, clock: &ManualClock) -> Served {
    served(store.builder().clock(clock.clone()).open().await.unwrap(), clock).await
}

async fn log_in(server: &Served, fields: &[(&str, &str)]) -> (Client, Reply) {
    let client = server.client();
    let reply = client.post_form("/login", fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    (client, reply)
}

fn max_age(reply: &Reply) -> Option<u64> {
    let cookies = reply.set_cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let age = cookies[0].split("; ").find_map(|part| part.strip_prefix("Max-Age="));
    age.map(|age| age.parse().unwrap())
}

async fn a_remembered_login_has_a_cookie_that_outlives_the_browser(store: Store) {
    let clock = ManualClock::new();
    let server = site(&store, &clock).await;
    let (_, reply) = log_in(&server, &[("persistent", "true")]).await;
    assert_eq!(max_age(&reply), Some(30 * DAY.as_secs()));
    let (_, reply) = log_in(&server, &[("persistent", "true"), ("days", "14")]).await;
    assert_eq!(max_age(&reply), Some(14 * DAY.as_secs()), "the cookie goes with its session");
    let (_, reply) = log_in(&server, &[("persistent", "false")]).await;
    assert_eq!(max_age(&reply), None);
    let (_, reply) = log_in(&server, &[]).await;
    assert_eq!(max_age(&reply), None, "as the type says");
}

async fn a_login_of_a_shorter_lifetime_ends_with_it_however_much_it_is_used(store: Store) {
    let clock = ManualClock::new();
    let server = site(&store, &clock).await;
    let (brief, _) = log_in(&server, &[("days", "3")]).await;
    let (full, _) = log_in(&server, &[]).await;
    assert_eq!((brief.get("/remaining").await.text(), full.get("/remaining").await.text()), ("3", "30"));
    for _ in 0..2 {
        clock.advance(DAY);
        assert_eq!(brief.post("/rotate").await.status, 200);
    }
    clock.advance(DAY);
    assert_eq!((brief.get("/").await.status.as_u16(), full.get("/").await.status.as_u16()), (401, 200));
}

async fn a_login_without_a_life_is_refused_and_the_session_before_it_lives_on(store: Store) {
    let clock = ManualClock::new();
    let server = site(&store, &clock).await;
    let (client, _) = log_in(&server, &[]).await;
    let reply = client.post_form("/login", &[("days", "0")]).await;
    assert_eq!(reply.status, 500, "{}", reply.text());
    assert!(reply.text().contains("can't be started") && reply.set_cookies().is_empty(), "{}", reply.text());
    assert_eq!(client.get("/").await.status, 200);
}

async fn a_login_until_a_moment_ends_then_or_before(store: Store) {
    let clock = ManualClock::new();
    let server = site(&store, &clock).await;
    let until = async |client: &Client, seconds: i64, days: &str| {
        let fields: &[(&str, &str)] = if days.is_empty() { &[] } else { &[("days", days)] };
        client.post_form(&format!("/login-until/{seconds}"), fields).await
    };
    let day = i64::try_from(DAY.as_secs()).unwrap();
    for (seconds, days, lives) in [(day, "", 1), (90 * day, "", 30), (3 * day, "2", 2), (3 * day, "5", 3)] {
        let reply = until(&server.client(), seconds, days).await;
        assert_eq!(max_age(&reply), Some(lives * DAY.as_secs()), "{seconds} {days}");
    }
    let client = server.client();
    assert_eq!(until(&client, 60, "").await.status, 200);
    for seconds in [0, -1, -90 * day] {
        assert_eq!(until(&client, seconds, "").await.status, 500, "{seconds}");
    }
    clock.advance(Duration::from_secs(59));
    assert_eq!(client.get("/").await.status, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(client.get("/").await.status, 401);
}

async fn no_login_lives_longer_than_its_type_allows(store: Store) {
    let clock = ManualClock::new();
    let server = site(&store, &clock).await;
    let (client, reply) = log_in(&server, &[("days", "4000"), ("persistent", "true")]).await;
    assert_eq!(max_age(&reply), Some(30 * DAY.as_secs()));
    for _ in 0..5 {
        clock.advance(5 * DAY);
        assert_eq!(client.get("/").await.status, 200);
    }
    clock.advance(5 * DAY);
    assert_eq!(client.get("/").await.status, 401);
}

async fn every_later_cookie_of_a_remembered_login_lasts_as_long_as_what_is_left(store: Store) {
    let clock = ManualClock::new();
    let server = site(&store, &clock).await;
    let (client, _) = log_in(&server, &[("persistent", "true"), ("days", "14")]).await;
    clock.advance(4 * DAY);
    assert_eq!(max_age(&client.post("/rotate").await), Some(10 * DAY.as_secs()), "a rotation");
    clock.advance(DAY);
    assert_eq!(max_age(&client.post("/raise").await), Some(9 * DAY.as_secs()), "a change of privilege");
    let newer = store.builder().key(&format!("{},{}", key('n'), key('k'))).clock(clock.clone());
    let newer = served(newer.open().await.unwrap(), &clock).await;
    clock.advance(DAY);
    assert_eq!(max_age(&client.at(&newer.url()).get("/").await), Some(8 * DAY.as_secs()), "another key");

    let (forgetful, _) = log_in(&server, &[("persistent", "false")]).await;
    assert_eq!(max_age(&forgetful.post("/rotate").await), None);
}

on_every_backend!(
    a_login_until_a_moment_ends_then_or_before,
    a_login_of_a_shorter_lifetime_ends_with_it_however_much_it_is_used,
    a_login_without_a_life_is_refused_and_the_session_before_it_lives_on,
    a_remembered_login_has_a_cookie_that_outlives_the_browser,
    every_later_cookie_of_a_remembered_login_lasts_as_long_as_what_is_left,
    no_login_lives_longer_than_its_type_allows,
);

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(persistent), lifetime = "30d")]
struct Kept;

#[session(optional)]
async fn on_a_shared_machine(slot: SessionSlot<Kept>) -> Result<(), Error> {
    slot.start(Kept).persistent(false).await
}

#[tokio::test]
async fn a_login_on_a_shared_machine_can_be_forgotten_although_the_type_remembers() {
    let sessions = Store::memory().sessions::<Kept>().await;
    let server = serve(Router::new().route("/", post(on_a_shared_machine)).with_state(sessions)).await;
    assert_eq!(max_age(&server.client().post("/").await), None);
}

#[derive(Default, Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"), idle = "10d", lifetime = "30d")]
struct Carried {
    reads: u32,
}

#[session(optional)]
async fn pick_up(slot: SessionSlot<Carried>, Form(login): Form<Login>) -> Result<(), Error> {
    let start = slot.start(Carried::default()).persistent(login.persistent == Some(true));
    start.lifetime(login.days.unwrap_or(30) * DAY).await
}

#[session(protected)]
async fn look(_carried: &Carried) {}

#[session(protected)]
async fn turn(mut session: Session<Carried>) -> Result<(), Error> {
    session.update(|carried| carried.reads += 1).await
}

#[tokio::test]
async fn every_cookie_that_carries_a_remembered_login_lasts_as_long_as_what_is_left() {
    let clock = ManualClock::new();
    let sessions = Sessions::<Carried>::builder().key(&key('k')).clock(clock.clone()).open().await.unwrap();
    let router = Router::new().route("/login", post(pick_up)).route("/", get(look).post(turn));
    let server = serve(router.with_state(sessions)).await;
    let (remembered, reply) = log_in(&server, &[("persistent", "true"), ("days", "14")]).await;
    assert_eq!(max_age(&reply), Some(14 * DAY.as_secs()));
    let (forgetful, reply) = log_in(&server, &[("days", "14")]).await;
    assert_eq!(max_age(&reply), None);
    for left in [10, 6, 2] {
        clock.advance(4 * DAY);
        for (reply, what) in [(remembered.get("/").await, "a use"), (remembered.post("/").await, "a change")] {
            assert_eq!(max_age(&reply), Some(left * DAY.as_secs()), "{what}, {left} days before the end");
        }
        for reply in [forgetful.get("/").await, forgetful.post("/").await] {
            assert_eq!(max_age(&reply), None);
        }
    }
    clock.advance(2 * DAY);
    for client in [&remembered, &forgetful] {
        assert_eq!(client.get("/").await.status, 401, "its lifetime is over");
    }
}
