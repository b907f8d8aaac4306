//! `on_end = path`: the forms of the function, and what becomes of its failures.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Path, routing::post};
use serde::{Deserialize, Serialize};
use session_runtime::{
    EndReason, Error, Session, SessionData, SessionSlot, Sessions, StoredSession,
    backend::Memory,
    session,
    testing::{Events, ManualClock},
};
use session_tests::{serve, wait};

use crate::support::key;

const LIMIT: Duration = Duration::from_secs(60);

/// Whoever sweeps a store that types share tells those that are to be told.
#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = parcel_ended)]
struct Parcel {
    number: u32,
}

#[derive(Serialize, Deserialize, SessionData)]
struct Robot;

static PARCELS: Mutex<Vec<(u32, EndReason)>> = Mutex::new(Vec::new());

async fn parcel_ended(parcel: Parcel, reason: EndReason) {
    PARCELS.lock().unwrap().push((parcel.number, reason));
}

#[tokio::test]
async fn a_sweep_of_another_type_that_shares_the_store_tells_the_declared_function() {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let builder = Sessions::<Parcel>::builder().clock(clock.clone()).shared_backend(Arc::clone(&memory));
    let parcels = builder.ephemeral_key().open().await.unwrap();
    let builder = Sessions::<Robot>::builder().clock(clock.clone()).shared_backend(Arc::clone(&memory));
    let robots = builder.ephemeral_key().open().await.unwrap();
    for number in 0..3 {
        let _started = parcels.start(Parcel { number }).await.unwrap();
        let _started = robots.start(Robot).await.unwrap();
    }
    clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(robots.sweep().await.unwrap(), 6);
    assert!(memory.is_empty());
    let mut told = PARCELS.lock().unwrap().clone();
    told.sort_by_key(|(number, _)| *number);
    assert_eq!(told, [0, 1, 2].map(|number| (number, EndReason::Expired)));
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = clumsy)]
struct Clumsy {
    #[session(owner)]
    how: String,
}

static STEADY: AtomicUsize = AtomicUsize::new(0);

async fn clumsy(session: StoredSession<Clumsy>, _: EndReason) -> Result<(), String> {
    match session.how.as_str() {
        "errs" => Err("the mail server is down".into()),
        "panics" => panic!("as it should in this test"),
        _ => {
            STEADY.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }
}

#[tokio::test]
async fn an_error_and_a_panic_of_the_function_are_events_and_the_next_session_is_told() {
    let events = Events::listen();
    let sessions = Sessions::<Clumsy>::builder().backend(Memory::default()).ephemeral_key().open().await.unwrap();
    for how in ["errs", "panics", "works"] {
        let started = sessions.start(Clumsy { how: how.into() }).await.unwrap();
        assert_eq!(sessions.of(how).end_all().await.unwrap(), 1);
        let session = started.public_id().to_string();
        if how == "works" {
            wait::until(LIMIT, "it is called", async || STEADY.load(Ordering::SeqCst) == 1).await;
            continue;
        }
        wait::until(LIMIT, "it is told", async || !events.named("session.end_hook_failed").is_empty()).await;
        let event = events.only("session.end_hook_failed");
        assert_eq!(event.level(), tracing::Level::ERROR);
        let error = if how == "errs" { "the mail server is down" } else { "it panicked" };
        for (field, value) in
            [("session_type", "Clumsy"), ("session", &session), ("reason", "revoked"), ("error", error)]
        {
            assert_eq!(event.field(field), Some(value), "{field}");
        }
        events.clear();
    }
    assert!(events.named("session.end_hook_failed").is_empty());
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"), on_end = postcard_ended)]
struct Postcard {
    stamps: u32,
}

static POSTCARDS: Mutex<Vec<(u32, EndReason)>> = Mutex::new(Vec::new());

async fn postcard_ended(postcard: Postcard, reason: EndReason) {
    POSTCARDS.lock().unwrap().push((postcard.stamps, reason));
}

#[session(optional)]
async fn write(slot: SessionSlot<Postcard>, Path(stamps): Path<u32>) -> Result<(), Error> {
    slot.start(Postcard { stamps }).await
}

#[session(protected)]
async fn post_it(session: Session<Postcard>) -> Result<(), Error> {
    session.end().await
}

#[tokio::test]
async fn a_session_that_its_token_carries_is_told_of_by_the_request_that_ends_it() {
    let sessions = Sessions::<Postcard>::builder().key(&key('k')).open().await.unwrap();
    let router = Router::new().route("/write/{stamps}", post(write)).route("/post", post(post_it));
    let server = serve(router.with_state(sessions)).await;
    let client = server.client();
    for path in ["/write/1", "/write/2", "/post"] {
        assert_eq!(client.post(path).await.status, 200, "{path}");
    }
    wait::until(LIMIT, "both are told", async || POSTCARDS.lock().unwrap().len() == 2).await;
    let mut told = POSTCARDS.lock().unwrap().clone();
    told.sort_by_key(|(stamps, _)| *stamps);
    assert_eq!(told, [(1, EndReason::Replaced), (2, EndReason::Logout)]);
}
