//! `slot.start(data).idle(..)`: the idle timeout of a single login.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, Session, SessionData, SessionSlot, Sessions,
    backend::{self, Backend, File, Sqlite},
    session,
    testing::ManualClock,
};
use session_tests::{Client, MariaDb, Postgres, Served, serve};

use crate::support::{Store, key, on_every_backend};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "1h", lifetime = "1d", rotate_every = "2h")]
struct Teller {
    #[session(owner)]
    name: String,
    #[session(privilege)]
    level: u32,
    visits: u32,
}

/// A login that ends when nobody uses it for so many milliseconds.
#[session(optional)]
async fn login(slot: SessionSlot<Teller>, Path(millis): Path<u64>) -> Result<(), Error> {
    let teller = Teller { name: "ann".into(), level: 0, visits: 0 };
    slot.start(teller).idle(Duration::from_millis(millis)).await
}

#[session(optional)]
async fn login_as_the_type_says(slot: SessionSlot<Teller>) -> Result<(), Error> {
    slot.start(Teller { name: "ann".into(), level: 0, visits: 0 }).await
}

#[session(protected)]
async fn look(teller: &Teller) -> String {
    teller.visits.to_string()
}

#[session(protected)]
async fn visit(teller: &mut Teller) {
    teller.visits += 1;
}

#[session(protected)]
async fn raise(teller: &mut Teller) {
    teller.level += 1;
}

#[session(protected)]
async fn rotate(mut session: Session<Teller>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
async fn update(mut session: Session<Teller>) -> Result<(), Error> {
    session.update(|teller| teller.visits += 1).await
}

/// How many sessions the owner has.
async fn list(axum::extract::State(tellers): axum::extract::State<Sessions<Teller>>) -> Result<Json<usize>, Error> {
    Ok(Json(tellers.of("ann").list().await?.len()))
}

async fn site(sessions: Sessions<Teller>) -> Served {
    let router = Router::new()
        .route("/login", post(login_as_the_type_says))
        .route("/login/{millis}", post(login))
        .route("/", get(look).post(visit))
        .route("/raise", post(raise))
        .route("/rotate", post(rotate))
        .route("/update", post(update))
        .route("/list", get(list));
    serve(router.with_state(sessions)).await
}

async fn log_in(server: &Served, idle: Duration) -> Client {
    let client = server.client();
    assert_eq!(client.post(&format!("/login/{}", idle.as_millis())).await.status, 200);
    client
}

/// Its life: in use it goes on, and without use it ends with its own timeout while others go on.
async fn assert_ends_with_its_own_timeout(server: &Served, clock: &ManualClock) {
    let brief = log_in(server, 4 * MINUTE).await;
    let full = server.client();
    full.post("/login").await;
    for path in ["/", "/update", "/rotate", "/raise", "/", "/rotate"] {
        clock.advance(3 * MINUTE);
        assert_eq!(brief.post(path).await.status, 200, "{path}");
        clock.advance(3 * MINUTE);
        assert_eq!(brief.get("/").await.status, 200, "after {path}");
    }
    assert_eq!(server.client().get("/list").await.json::<usize>(), 2);
    // A sixteenth more, since a store may note the last use that much late.
    clock.advance(4 * MINUTE + 15 * Duration::from_secs(1));
    assert_eq!(server.client().get("/list").await.json::<usize>(), 1, "it is no longer in the owner's list");
    for path in ["/", "/update", "/rotate"] {
        assert_eq!(brief.post(path).await.status, 401, "{path}");
    }
    assert_eq!((brief.get("/").await.status.as_u16(), full.get("/").await.status.as_u16()), (401, 200));
}

async fn a_login_with_its_own_idle_timeout_ends_with_it_and_others_do_not(store: Store) {
    let clock = ManualClock::new();
    let server = site(store.builder().clock(clock.clone()).open().await.unwrap()).await;
    assert_ends_with_its_own_timeout(&server, &clock).await;
}

async fn a_login_cannot_have_a_longer_idle_timeout_than_its_type(store: Store) {
    let clock = ManualClock::new();
    let server = site(store.builder().clock(clock.clone()).open().await.unwrap()).await;
    for idle in [61 * MINUTE, Duration::from_millis(u64::MAX)] {
        let client = log_in(&server, idle).await;
        assert_eq!(client.cookie("__Host-teller").unwrap().len(), 120, "its token is as any other");
        clock.advance(62 * MINUTE);
        assert_eq!(client.get("/").await.status, 401);
    }
}

async fn a_shorter_idle_timeout_of_the_type_counts_for_logins_from_before(store: Store) {
    let clock = ManualClock::new();
    let before = site(store.builder().clock(clock.clone()).open().await.unwrap()).await;
    let client = log_in(&before, 30 * MINUTE).await;
    let after = site(store.builder().clock(clock.clone()).idle(10 * MINUTE).open().await.unwrap()).await;
    let client = client.at(&after.url());
    assert_eq!(client.get("/").await.status, 200);
    clock.advance(11 * MINUTE);
    assert_eq!(client.get("/").await.status, 401);
}

async fn an_idle_timeout_of_less_than_a_second_is_refused_and_the_session_before_it_lives_on(store: Store) {
    let server = site(store.sessions().await).await;
    let client = log_in(&server, 4 * MINUTE).await;
    for millis in [0, 999] {
        let reply = client.post(&format!("/login/{millis}")).await;
        assert_eq!(reply.status, 500, "{}", reply.text());
        assert!(reply.text().contains("session.no_lifetime") && reply.set_cookies().is_empty(), "{}", reply.text());
    }
    assert_eq!(client.get("/").await.status, 200);
    assert_eq!(client.post("/login/1000").await.status, 200);
}

async fn a_new_key_and_a_rotation_on_schedule_keep_the_idle_timeout_of_a_login(store: Store) {
    let clock = ManualClock::new();
    let older = site(store.builder().clock(clock.clone()).open().await.unwrap()).await;
    let client = log_in(&older, 4 * MINUTE).await;
    let keys = format!("{},{}", key('n'), key('k'));
    let newer = site(store.builder().key(&keys).clock(clock.clone()).open().await.unwrap()).await;
    let client = client.at(&newer.url());
    let reply = client.get("/").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1), "a token under the new key");
    for _ in 0..41 {
        clock.advance(3 * MINUTE);
        assert_eq!(client.get("/").await.status, 200);
    }
    clock.advance(5 * MINUTE);
    assert_eq!(client.get("/").await.status, 401);
}

on_every_backend!(
    a_login_cannot_have_a_longer_idle_timeout_than_its_type,
    a_login_with_its_own_idle_timeout_ends_with_it_and_others_do_not,
    a_new_key_and_a_rotation_on_schedule_keep_the_idle_timeout_of_a_login,
    a_shorter_idle_timeout_of_the_type_counts_for_logins_from_before,
    an_idle_timeout_of_less_than_a_second_is_refused_and_the_session_before_it_lives_on,
);

async fn on(backend: impl Backend) {
    let clock = ManualClock::new();
    let builder = Sessions::<Teller>::builder().key(&key('k')).clock(clock.clone()).backend(backend);
    assert_ends_with_its_own_timeout(&site(builder.open().await.unwrap()).await, &clock).await;
}

#[tokio::test]
async fn on_files_a_login_ends_with_its_own_idle_timeout() {
    let folder = tempfile::tempdir().unwrap();
    on(File::new(folder.path()).unwrap()).await;
}

#[tokio::test]
async fn on_sqlite_a_login_ends_with_its_own_idle_timeout() {
    let folder = tempfile::tempdir().unwrap();
    on(Sqlite::new(folder.path().join("sessions.db"), "sessions").await.unwrap()).await;
}

#[tokio::test]
async fn on_postgres_a_login_ends_with_its_own_idle_timeout() {
    let server = Postgres::start().await;
    on(backend::Postgres::new(&server.url(), "sessions").unwrap()).await;
}

#[tokio::test]
async fn on_mariadb_a_login_ends_with_its_own_idle_timeout() {
    let server = MariaDb::start().await;
    on(backend::MySql::new(&server.url(), "sessions").unwrap()).await;
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"), idle = "1h", lifetime = "1d")]
struct Postcard {
    stamps: u32,
}

#[session(optional)]
async fn write(slot: SessionSlot<Postcard>) -> Result<(), Error> {
    slot.start(Postcard { stamps: 0 }).idle(16 * MINUTE).await
}

#[session(protected)]
async fn read(_postcard: &Postcard) {}

#[session(protected)]
async fn stamp(mut session: Session<Postcard>) -> Result<(), Error> {
    session.update(|postcard| postcard.stamps += 1).await
}

#[tokio::test]
async fn a_session_that_its_token_carries_ends_with_the_idle_timeout_of_its_login() {
    let clock = ManualClock::new();
    let sessions = Sessions::<Postcard>::builder().key(&key('k')).clock(clock.clone()).open().await.unwrap();
    let router = Router::new().route("/write", post(write)).route("/", get(read).post(stamp));
    let server = serve(router.with_state(sessions)).await;
    let client = server.client();
    assert_eq!(client.post("/write").await.status, 200);
    for _ in 0..5 {
        clock.advance(15 * MINUTE);
        assert_eq!(client.get("/").await.status, 200);
        clock.advance(15 * MINUTE);
        assert_eq!(client.post("/").await.status, 200);
    }
    clock.advance(17 * MINUTE);
    assert_eq!(client.get("/").await.status, 401);
}
