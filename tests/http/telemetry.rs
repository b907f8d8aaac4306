//! What is told of sessions' lives: events, spans and counters.

use std::{collections::BTreeMap, time::Duration};

use axum::{Extension, Router, http::Method, routing::post};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Redis, serve};
use tracing::Level;

use crate::support::{COOKIE, Counters, Events, Gate, Ledger, User, key, logged_in, routes, send_with, token};

/// A whole life, with everything that can go wrong in it.
async fn scenario() {
    let (ledger, clock) = (Ledger::default(), ManualClock::new());
    let builder = Sessions::<User>::builder().backend(ledger.clone()).key(&key('k')).clock(clock.clone());
    let sessions = builder.forged_tokens(3, Duration::from_secs(60)).open().await.unwrap();
    let server = serve(routes().with_state(sessions)).await;

    let client = logged_in(&server, "ann").await;
    let first = token(&client);
    assert_eq!(client.get("/me").await.status, 200);
    assert_eq!(client.post("/visit").await.text(), "1");
    assert_eq!(client.post("/rotate").await.status, 200);
    let send = async |method: Method, path: &str, token: &str| {
        send_with(&server, method, path, &format!("{COOKIE}={token}")).await.status.as_u16()
    };
    assert_eq!(send(Method::GET, "/me", &first).await, 401);
    for _ in 0..3 {
        assert_eq!(send(Method::GET, "/me", "forged").await, 401);
    }
    let (other, current) = (token(&logged_in(&server, "dan").await), token(&client));
    assert_eq!(send(Method::GET, "/me", &format!("{current}; {COOKIE}={other}")).await, 401);
    let cross_site = client.send(Method::POST, "/visit", |request| request.header("sec-fetch-site", "cross-site"));
    assert_eq!(cross_site.await.status, 403);
    ledger.set_down(true);
    assert_eq!(client.get("/me").await.status, 503);
    ledger.set_down(false);
    assert_eq!(client.post("/logout").await.status, 303);

    let client = logged_in(&server, "bob").await;
    ledger.replace_body(b"garbage".to_vec()).await;
    assert_eq!(client.get("/me").await.status, 401);
    let client = logged_in(&server, "cyd").await;
    clock.advance(Duration::from_secs(1800));
    assert_eq!(client.get("/me").await.status, 401);
    clock.advance(Duration::from_secs(12 * 3600));
    assert_eq!(client.get("/me").await.status, 401);
}

#[tokio::test]
async fn each_step_of_a_life_is_counted_by_its_type_and_reason() {
    let counted = Counters::of(scenario()).await;
    let expected: BTreeMap<String, u64> = [
        ("session_started_total{session_type=User}", 4),
        // `me`, `visit`, `rotate_id` and `logout`.
        ("session_loaded_total{session_type=User}", 4),
        ("session_rotated_total{session_type=User}", 1),
        ("session_ended_total{session_type=User}", 1),
        ("session_absent_total{session_type=User}", 1),
        ("session_refused_total{session_type=User,reason=replaced}", 1),
        ("session_refused_total{session_type=User,reason=token}", 3),
        ("session_refused_total{session_type=User,reason=ambiguous}", 1),
        ("session_refused_total{session_type=User,reason=cross_site}", 1),
        ("session_refused_total{session_type=User,reason=stale}", 1),
        ("session_forged_total{session_type=User}", 1),
        ("session_backend_down_total{session_type=User}", 1),
        ("session_unreadable_total{session_type=User,reason=format}", 1),
    ]
    .map(|(name, count)| (name.to_owned(), count))
    .into();
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn calls_to_the_store_and_waits_for_a_session_are_measured_by_what_came_of_them() {
    let mut redis = Redis::start().await;
    let backend = session_runtime::backend::Redis::new(&redis.url(), "test:").unwrap();
    let measured = Counters::measured(async {
        let sessions = Sessions::<User>::builder().ephemeral_key().backend(backend);
        let sessions = sessions.deadline(Duration::from_millis(300)).open().await.unwrap();
        let server = crate::support::serve_users(sessions).await;
        let client = logged_in(&server, "ann").await;
        assert_eq!(client.post("/visit").await.text(), "1");
        redis.stop();
        assert_eq!(client.get("/me").await.status, 503);
        assert_eq!(client.post("/visit").await.status, 503);
        redis.resume();
    })
    .await;
    for name in [
        "session_store_seconds{backend=Redis,operation=create,outcome=ok}",
        "session_store_seconds{backend=Redis,operation=acquire,outcome=ok}",
        "session_store_seconds{backend=Redis,operation=save,outcome=ok}",
        "session_store_seconds{backend=Redis,operation=load,outcome=abandoned}",
        "session_lease_wait_seconds{session_type=User,outcome=granted}",
        "session_lease_wait_seconds{session_type=User,outcome=error}",
    ] {
        assert!(measured.contains_key(name), "{name}: {measured:#?}");
    }
}

#[tokio::test]
async fn each_step_of_a_life_is_told_under_its_name_and_no_secret_with_it() {
    let events = Events::listen();
    scenario().await;
    for (name, level, times) in [
        ("session.started", Level::INFO, 4),
        ("session.loaded", Level::DEBUG, 4),
        ("session.rotated", Level::INFO, 1),
        ("session.ended", Level::INFO, 1),
        ("session.absent", Level::DEBUG, 1),
        ("session.forged", Level::WARN, 1),
        ("session.backend_down", Level::ERROR, 1),
        ("session.unreadable", Level::WARN, 1),
        ("session.create", Level::DEBUG, 4),
        ("session.acquire", Level::DEBUG, 1),
        ("session.save", Level::DEBUG, 1),
        ("session.rotate", Level::DEBUG, 1),
        ("session.end", Level::DEBUG, 1),
    ] {
        let told = events.named(name);
        assert_eq!(told.len(), times, "{name}: {}", events.text());
        assert!(told.iter().all(|told| told.level == level && told.field("session_type") == "User"), "{told:?}");
    }
    let loads = events.named("session.load");
    assert!(loads.len() > 4 && loads.iter().all(|span| span.field("session").len() < 32), "{loads:?}");
}

#[tokio::test]
async fn every_event_and_span_has_the_crates_name_for_its_target_and_every_event_its_own_in_a_field() {
    let events = Events::listen();
    scenario().await;
    let all = events.all();
    assert!(all.len() > 20);
    for told in all {
        assert_eq!(told.target, "session_runtime", "{told:?}");
        assert_eq!(told.field("event"), if told.is_event { told.name } else { "" }, "{told:?}");
    }
}

#[tokio::test]
async fn a_change_that_meets_another_is_told_and_counted() {
    let events = Events::listen();
    let counted = Counters::of(async {
        let server = crate::support::serve_users(crate::support::Store::memory().sessions().await).await;
        let client = logged_in(&server, "ann").await;
        assert_eq!(client.post("/visit").await.text(), "1");
    })
    .await;
    assert_eq!(counted.get("session_conflict_total{session_type=User}"), None);
    assert_eq!(events.named("session.conflict").len(), 0);

    let counted = Counters::of(a_conflict()).await;
    assert_eq!(counted.get("session_conflict_total{session_type=User}"), Some(&1));
    let told = events.named("session.conflict");
    assert_eq!((told.len(), told[0].level), (1, Level::WARN));
}

/// A logout under a handler that holds the session.
async fn a_conflict() {
    #[session(protected)]
    async fn hold(user: &mut User, Extension(gate): Extension<Gate>) {
        gate.pass().await;
        user.visits += 1;
    }

    let gate = Gate::new();
    let sessions = Sessions::<User>::builder().ephemeral_key().open().await.unwrap();
    let router = routes().route("/hold", post(hold)).layer(Extension(gate.clone())).with_state(sessions);
    let server = serve(router).await;
    let client = logged_in(&server, "ann").await;
    let holding = tokio::spawn({
        let client = client.clone();
        async move { client.post("/hold").await.status }
    });
    gate.arrival().await;
    assert_eq!(client.post("/logout").await.status, 303);
    gate.open();
    assert_eq!(holding.await.unwrap(), 409);
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"))]
struct Note;

#[session(optional)]
async fn note(slot: SessionSlot<Note>) -> Result<(), Error> {
    slot.start(Note).await
}

#[session(protected)]
async fn read(_note: &Note) {}

#[tokio::test]
async fn a_session_that_has_timed_out_and_is_still_there_is_told_and_counted() {
    let events = Events::listen();
    let counted = Counters::of(async {
        let clock = ManualClock::new();
        let sessions = Sessions::<Note>::builder().key(&key('k')).clock(clock.clone()).open().await.unwrap();
        let server = serve(Router::new().route("/", post(note).get(read)).with_state(sessions)).await;
        let client = server.client();
        assert_eq!(client.post("/").await.status, 200);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(client.get("/").await.status, 401);
    })
    .await;
    assert_eq!(counted.get("session_expired_total{session_type=Note}"), Some(&1));
    assert_eq!(events.named("session.expired").len(), 1);
}
