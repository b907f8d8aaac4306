//! A connection to Redis on which nothing is heard any more, though it stays open: packets are dropped, or a proxy has
//! stopped forwarding. A new connection to the same address is answered at once.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use session_runtime::{
    Clock, SystemClock,
    backend::{Backend, Record, RecordKey, Redis as Backing, Touch, Watch},
};
use session_tests::{Gate, Redis, wait};
use tokio::time::Instant;

use crate::fleet::{Fleet, PATIENT, Terms, assert_problem};

const TERMS: Terms =
    Terms { lease: Duration::from_secs(600), wait: Duration::from_secs(10), deadline: Duration::from_secs(1) };

/// Three seconds are meant, and this is for a machine that does much else.
const RECOVERY: Duration = Duration::from_secs(10);

/// Asks until it is answered as it should be; nothing but a 503 may come before. How long it took.
async fn recovery(fleet: &Fleet, what: &str, ask: impl AsyncFn() -> session_tests::Reply) -> Duration {
    let start = Instant::now();
    loop {
        let reply = ask().await;
        if reply.status.is_success() {
            break;
        }
        assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        assert!(start.elapsed() < RECOVERY, "{what} is not answered again after {:?}", start.elapsed());
    }
    assert_eq!(fleet.members.len(), 1);
    println!("{what}: answered again after {:?}", start.elapsed());
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_connection_is_replaced_whatever_is_asked_on_it() {
    let redis = Redis::start().await;
    let gate = Gate::to(redis.port()).await;
    let fleet = Fleet::by(&[gate.url()], redis, TERMS).await;
    let writer = fleet.writer().await;
    let mut entries = Vec::new();
    for (entry, path) in [(0, "/greeting"), (1, "/append/1"), (2, "/update/2"), (3, "/look"), (4, "/start")] {
        assert_eq!(writer.post(0, "/look").await.status, StatusCode::OK, "before {path}");
        gate.silence();
        let took = match path {
            "/greeting" => recovery(&fleet, path, async || writer.get(0, path).await).await,
            "/start" => recovery(&fleet, path, async || fleet.client(0).post(path).await).await,
            path => recovery(&fleet, path, async || writer.post(0, path).await).await,
        };
        assert!(took < RECOVERY, "{path}: {took:?}");
        if ["/append/1", "/update/2"].contains(&path) {
            entries.push(entry);
        }
        // A write that was answered by a 503 may have been stored, and one that was acknowledged is there.
        let mut stored = writer.entries(0).await;
        stored.dedup();
        assert_eq!(stored, entries, "after {path}");
    }
    gate.silence();
    let ended = recovery(&fleet, "/end", async || writer.post(0, "/end").await).await;
    assert!(ended < RECOVERY);
    assert_eq!(writer.get(0, "/entries").await.status, StatusCode::UNAUTHORIZED);
}

/// The deadline leaves time for a new connection, so that nobody is told of the silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_on_a_silent_connection_is_asked_again_on_its_replacement() {
    let redis = Redis::start().await;
    let gate = Gate::to(redis.port()).await;
    let fleet = Fleet::by(&[gate.url()], redis, PATIENT).await;
    let writer = fleet.writer().await;
    for (path, entries) in [("/append/1", &[1][..]), ("/update/2", &[1, 2]), ("/look", &[1, 2])] {
        gate.silence();
        assert_eq!(writer.post(0, path).await.status, StatusCode::OK, "{path}");
        gate.silence();
        assert_eq!(writer.entries(0).await, entries, "{path}");
    }
    gate.silence();
    let reply = writer.post(0, "/rotate").await;
    assert_eq!(reply.status, StatusCode::OK);
    let writer = writer.rotated(&reply);
    gate.silence();
    assert_eq!(writer.post(0, "/end").await.status, StatusCode::OK);
    assert_eq!(fleet.stored().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_kept_through_a_silent_connection() {
    let redis = Redis::start().await;
    let gate = Gate::to(redis.port()).await;
    // Extended every two seconds.
    let terms = Terms { lease: Duration::from_secs(6), wait: Duration::from_secs(60), ..TERMS };
    let fleet = Fleet::by(&[gate.url(), redis.url()], redis, terms).await;
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    gate.silence();
    let waiter = writer.posting(1, "/append/2");
    // A lease that nobody extends has run out by then.
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(!waiter.is_finished(), "the session is still held");
    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    assert_eq!(waiter.await.unwrap().status, StatusCode::OK);
    assert_eq!(writer.entries(0).await, [1, 2]);
}

/// Nothing is asked here, so that only the subscription's own signs of life can show the silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_subscription_is_replaced_and_hears_again() {
    let redis = Redis::start().await;
    let gate = Gate::to(redis.port()).await;
    let direct = Backing::new(&redis.url(), "app:").unwrap();
    let behind = Arc::new(Backing::new(&gate.url(), "app:").unwrap());
    let now = SystemClock.now();
    let touch = Touch { now, idle: Duration::from_secs(600), expires: now.plus(Duration::from_secs(600)) };
    let record = || Record { version: 1, last_seen: now, expires: touch.expires, body: b"x".to_vec().into() };
    let [first, second] = [1, 2].map(|byte| RecordKey::from_bytes([byte; 32]));
    for key in [&first, &second] {
        assert!(direct.create(key, record(), touch).await.unwrap());
    }
    let missed = behind.watch(&first).await.unwrap();
    gate.silence();
    assert!(direct.delete(&first).await.unwrap());
    let start = Instant::now();
    wait::within(RECOVERY, "who watches looks again", missed).await;
    println!("a silent subscription: its listener is woken after {:?}", start.elapsed());

    // It is subscribed on the new connection: a message wakes the listener.
    let heard = loop {
        let heard = tokio::spawn(wait::within(RECOVERY, "watching again", behind.watch(&second)).await.unwrap());
        tokio::time::sleep(Duration::from_millis(200)).await;
        // Who begins to watch just as the connection is replaced may be woken once more.
        if !heard.is_finished() {
            break heard;
        }
        assert!(start.elapsed() < RECOVERY, "watchers are woken again and again");
    };
    assert!(direct.delete(&second).await.unwrap());
    wait::within(RECOVERY, "the end is heard", heard).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_takes_connections_and_says_nothing_is_in_use_again_when_it_speaks() {
    let redis = Redis::start().await;
    let gate = Gate::to(redis.port()).await;
    let fleet = Fleet::by(&[gate.url()], redis, TERMS).await;
    let writer = fleet.writer().await;
    gate.shut();
    for path in ["/append/1", "/look", "/end"] {
        assert_problem(&writer.post(0, path).await, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    gate.open();
    recovery(&fleet, "after a shut gate", async || writer.get(0, "/greeting").await).await;
    assert_eq!(writer.get(0, "/greeting").await.text(), "known");
}
