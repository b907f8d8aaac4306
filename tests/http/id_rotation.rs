//! `rotate_every = "15m"`: ids that are rotated on a schedule.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::FromRequestParts,
    http::{Method, request::Parts},
    routing::{MethodRouter, get, post},
};
use session_runtime::{
    Clock, Sessions,
    backend::{Backend, File, FileConfig, OpenBackend, Scope, Sqlite, SqliteConfig},
    session,
    testing::ManualClock,
};
use session_tests::{Served, serve};

use crate::{
    id_rotation_app::*,
    support::{Gate, Ledger, Store, assert_problem, key, on_every_backend},
};

const MINUTE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(10);

async fn every_form_rotates_an_id_that_is_due_and_tells_the_client(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock, &Gate::new()).await;
    let client = logged_in(&server).await;
    let forms = [
        (Method::GET, "/shared"),
        (Method::POST, "/exclusive"),
        (Method::POST, "/untouched"),
        (Method::GET, "/owned"),
        (Method::GET, "/slot"),
        (Method::GET, "/guarded"),
    ];
    for (method, path) in forms {
        clock.advance(15 * MINUTE - Duration::from_millis(1));
        let reply = client.send(method.clone(), path, |request| request).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0), "{path}: not yet");
        clock.advance(Duration::from_millis(1));
        let old = token(&client);
        let reply = client.send(method.clone(), path, |request| request).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_ne!(token(&client), old, "{path}");
        let reply = client.send(method, path, |request| request).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0), "{path}: once");
    }
}

async fn the_old_id_is_good_for_ten_seconds_more_and_then_dead(store: Store) {
    let clock = ManualClock::new();
    let (here, there) = (server(&store, &clock, &Gate::new()).await, server(&store, &clock, &Gate::new()).await);
    let client = logged_in(&here).await;
    let old = token(&client);
    clock.advance(15 * MINUTE);
    assert_eq!(client.get("/shared").await.set_cookies().len(), 1);
    clock.advance(GRACE - Duration::from_millis(1));
    for server in [&here, &there] {
        for (method, path) in
            [(Method::GET, "/shared"), (Method::POST, "/exclusive"), (Method::GET, "/owned"), (Method::GET, "/plain")]
        {
            let reply = with(server, method, path, &old).await;
            assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0), "{path}");
        }
    }
    clock.advance(Duration::from_millis(1));
    for server in [&here, &there] {
        for (method, path) in
            [(Method::GET, "/shared"), (Method::POST, "/exclusive"), (Method::GET, "/owned"), (Method::GET, "/plain")]
        {
            assert_problem(&with(server, method, path, &old).await, 401, "missing");
        }
        assert_eq!(client.at(&server.url()).get("/shared").await.text(), "2 -", "what the old id wrote is there");
    }
}

/// All requests of a page, in two processes; each is served, and one answer has the new token.
async fn a_page_survives(here: &Served, there: &Served, clock: &ManualClock) {
    let client = logged_in(here).await;
    for _ in 0..5 {
        clock.advance(15 * MINUTE);
        let old = token(&client);
        let page = (0..20).map(|part| {
            let server = if part % 2 == 0 { here } else { there };
            // Its own jar: every request is on its way with the old token.
            let parted = server.client();
            let cookie = format!("{COOKIE}={old}");
            tokio::spawn(async move {
                let (method, path) = match part % 5 {
                    0 => (Method::POST, "/exclusive"),
                    1 => (Method::GET, "/owned"),
                    _ => (Method::GET, "/shared"),
                };
                parted.send(method, path, |request| request.header("cookie", cookie)).await
            })
        });
        let page: Vec<_> = page.collect();
        let mut told = Vec::new();
        for part in page {
            let reply = part.await.unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text());
            told.extend(reply.set_cookies().iter().map(ToString::to_string));
        }
        assert_eq!(told.len(), 1, "exactly one answer has the new token: {told:?}");
        client.set_cookie(&told[0]);
        assert_ne!(token(&client), old);
        clock.advance(GRACE);
        assert_eq!(with(here, Method::GET, "/shared", &old).await.status, 401);
        assert_eq!(client.get("/shared").await.status, 200);
    }
    assert_eq!(client.get("/shared").await.text(), "20 -", "no write was lost");
}

async fn parallel_requests_of_one_page_survive_and_exactly_one_answer_has_the_new_token(store: Store) {
    let clock = ManualClock::new();
    let gate = Gate::new();
    a_page_survives(&server(&store, &clock, &gate).await, &server(&store, &clock, &gate).await, &clock).await;
}

/// SM5, V7.2.4.
async fn there_is_no_grace_after_a_rotation_for_a_reason(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock, &Gate::new()).await;
    for path in ["/rotate", "/refresh", "/raise", "/login"] {
        let client = logged_in(&server).await;
        let first = token(&client);
        clock.advance(15 * MINUTE);
        client.get("/shared").await;
        let second = token(&client);
        assert_eq!(with(&server, Method::GET, "/shared", &first).await.status, 200, "in its grace");
        assert_eq!(client.post(path).await.status, 200);
        for old in [&first, &second] {
            assert_eq!(with(&server, Method::GET, "/shared", old).await.status, 401, "after {path}");
        }
        assert_eq!(client.get("/shared").await.status, 200);
    }
}

async fn a_slow_writer_and_a_long_held_handle_outlast_a_scheduled_rotation(store: Store) {
    let (clock, gate) = (ManualClock::new(), Gate::new());
    let server = server(&store, &clock, &gate).await;
    let client = logged_in(&server).await;
    let handle = tokio::spawn({
        let client = client.clone();
        async move { client.post("/slow-handle").await }
    });
    gate.arrival().await;
    clock.advance(15 * MINUTE);
    let writer = tokio::spawn({
        let client = client.clone();
        async move { client.post("/slow").await }
    });
    gate.arrival().await;
    let reader = client.get("/shared").await;
    assert_eq!((reader.status.as_u16(), reader.set_cookies().len()), (200, 0), "the writer will rotate it");
    gate.open();
    gate.open();
    let (writer, handle) = (writer.await.unwrap(), handle.await.unwrap());
    assert_eq!((writer.status.as_u16(), writer.set_cookies().len()), (200, 1));
    assert_eq!(handle.status, 200, "{}", handle.text());
    clock.advance(16 * MINUTE);
    assert_eq!(client.get("/shared").await.text(), "110 -");
}

async fn a_rotation_and_a_flash_are_settled_by_one_answer(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock, &Gate::new()).await;
    let client = logged_in(&server).await;
    client.post("/leave").await;
    clock.advance(15 * MINUTE);
    let reply = client.get("/shared").await;
    assert_eq!((reply.text(), reply.set_cookies().len()), ("0 saved", 1));
    assert_eq!(client.get("/shared").await.text(), "0 -");
}

/// SM7: a small generator, so that a failed run can be repeated.
async fn scheduled_rotations_never_lengthen_a_sessions_life(store: Store) {
    for seed in 1..9_u64 {
        let clock = ManualClock::new();
        let server = server(&store, &clock, &Gate::new()).await;
        let client = logged_in(&server).await;
        let (start, mut random) = (clock.now(), seed);
        let (mut rotated, mut last) = (0, token(&client));
        loop {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            clock.advance(Duration::from_secs(60 + (random >> 33) % (28 * 60)));
            let age = clock.now().since(start);
            let reply = match random >> 62 {
                0 => client.get("/shared").await,
                1 => client.post("/exclusive").await,
                2 => client.get("/owned").await,
                _ => client.post("/raise").await,
            };
            let alive = age < Duration::from_secs(12 * 60 * 60);
            assert_eq!(reply.status.as_u16(), if alive { 200 } else { 401 }, "seed {seed}, {age:?} after login");
            if !alive {
                break;
            }
            rotated += usize::from(token(&client) != last);
            last = token(&client);
        }
        assert!(rotated > 10, "seed {seed}: rotated {rotated} times");
    }
}

on_every_backend!(
    a_rotation_and_a_flash_are_settled_by_one_answer,
    a_slow_writer_and_a_long_held_handle_outlast_a_scheduled_rotation,
    an_upload_that_takes_longer_than_the_grace_is_stored,
    every_form_rotates_an_id_that_is_due_and_tells_the_client,
    parallel_requests_of_one_page_survive_and_exactly_one_answer_has_the_new_token,
    scheduled_rotations_never_lengthen_a_sessions_life,
    the_old_id_is_good_for_ten_seconds_more_and_then_dead,
    there_is_no_grace_after_a_rotation_for_a_reason,
);

/// Two handles on one store, as two processes have them.
async fn on<B: Backend>(one: B, other: B) {
    let clock = ManualClock::new();
    let open = async |backend| {
        let builder = Sessions::<Worker>::builder().key(&key('k')).clock(clock.clone());
        served(builder.shared_backend(Arc::new(backend)).open().await.unwrap(), &Gate::new()).await
    };
    a_page_survives(&open(one).await, &open(other).await, &clock).await;
}

#[tokio::test]
async fn on_files_parallel_requests_of_one_page_survive() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let mut config = FileConfig::default();
        config.dir = Some(folder.path().join("sessions"));
        <File as OpenBackend>::open(config, &Scope::new("tests", "Worker")).await.unwrap()
    };
    on(open().await, open().await).await;
}

#[tokio::test]
async fn on_sqlite_parallel_requests_of_one_page_survive() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let mut config = SqliteConfig::default();
        config.path = Some(folder.path().join("sessions.db"));
        <Sqlite as OpenBackend>::open(config, &Scope::new("tests", "Worker")).await.unwrap()
    };
    on(open().await, open().await).await;
}

#[tokio::test]
async fn who_cannot_tell_the_client_leaves_the_id_alone() {
    let clock = ManualClock::new();
    let server = server(&Store::memory(), &clock, &Gate::new()).await;
    let client = logged_in(&server).await;
    clock.advance(15 * MINUTE);
    for path in ["/snapshot", "/plain"] {
        let reply = client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0), "{path}");
    }
    let refused = client.post_form("/with-a-form", &[("number", "none")]).await;
    assert_eq!((refused.status.as_u16(), refused.set_cookies().len()), (422, 0), "the handler did not run");
    let failed = client.post("/failing").await;
    assert_eq!((failed.status.as_u16(), failed.set_cookies().len()), (500, 0), "nothing is stored after a 500");
    clock.advance(GRACE);
    let reply = client.get("/shared").await;
    assert_eq!((reply.text(), reply.set_cookies().len()), ("0 -", 1), "the next one that can does");
}

/// What comes in slowly, as a large body does: behind the session's token, and before its handler.
struct Slowly;

impl<S: Sync> FromRequestParts<S> for Slowly {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let gate = parts.extensions.get::<Gate>().expect("the route has a gate").clone();
        gate.pass().await;
        Ok(Self)
    }
}

#[session(protected)]
async fn upload(worker: &mut Worker, _body: Slowly) -> String {
    worker.visits += 1;
    worker.visits.to_string()
}

async fn an_upload_that_takes_longer_than_the_grace_is_stored(store: Store) {
    let (clock, gate) = (ManualClock::new(), Gate::new());
    let sessions: Sessions<Worker> = store.builder().clock(clock.clone()).open().await.unwrap();
    let upload: MethodRouter<_, Infallible> = post(upload);
    let routes = Router::new()
        .route("/login", post(login))
        .route("/shared", get(shared))
        .route("/upload", upload.layer(Extension(gate.clone())));
    let server = serve(routes.with_state(sessions)).await;
    let client = logged_in(&server).await;
    clock.advance(15 * MINUTE);
    let upload = tokio::spawn({
        let client = client.clone();
        async move { client.post("/upload").await }
    });
    gate.arrival().await;
    assert_eq!(client.get("/shared").await.set_cookies().len(), 1);
    clock.advance(2 * GRACE);
    gate.open();
    let upload = upload.await.unwrap();
    assert_eq!((upload.status.as_u16(), upload.text()), (200, "1"));
}

#[tokio::test]
async fn a_read_that_is_not_due_asks_the_store_once_and_writes_nothing() {
    let (ledger, clock) = (Ledger::default(), ManualClock::new());
    let builder = Sessions::<Worker>::builder().backend(ledger.clone()).ephemeral_key().clock(clock.clone());
    let server = served(builder.open().await.unwrap(), &Gate::new()).await;
    let client = logged_in(&server).await;
    let before = (ledger.asked(), ledger.written());
    for _ in 0..5 {
        client.get("/shared").await;
    }
    assert_eq!((ledger.asked(), ledger.written()), (before.0 + 5, before.1));
    clock.advance(15 * MINUTE);
    client.get("/shared").await;
    assert_eq!(
        (ledger.asked(), ledger.written()),
        (before.0 + 9, before.1 + 1),
        "a load, a lease, a save, and a look before its token is told"
    );
}

#[tokio::test]
async fn a_dead_id_is_not_asked_about_twice() {
    let (ledger, clock) = (Ledger::default(), ManualClock::new());
    let builder = Sessions::<Worker>::builder().backend(ledger.clone()).ephemeral_key().clock(clock.clone());
    let server = served(builder.open().await.unwrap(), &Gate::new()).await;
    let client = logged_in(&server).await;
    let old = token(&client);
    clock.advance(15 * MINUTE);
    client.get("/shared").await;
    clock.advance(GRACE);
    let before = ledger.asked();
    for _ in 0..3 {
        assert_eq!(with(&server, Method::GET, "/shared", &old).await.status, 401);
    }
    assert_eq!(ledger.asked(), before, "the process that rotated it knows");
}

#[tokio::test]
async fn an_interval_from_the_environment_or_the_builder_keeps_the_same_rules() {
    let builder = || Sessions::<Worker>::builder().ephemeral_key();
    for (every, word) in [(Duration::from_secs(1), "rotate_every"), (13 * 60 * MINUTE, "lifetime")] {
        let error = builder().rotate_every(every).open().await.unwrap_err().to_string();
        assert!(error.contains("`rotate_every`") && error.contains(word), "{error}");
    }
    assert!(builder().rotate_every(MINUTE).open().await.is_ok());
}
