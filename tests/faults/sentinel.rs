//! Sentinels make a replica the master, while two processes are under load.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use session_tests::{Redis, Sentinels};
use tokio::{task::JoinSet, time::Instant};

use crate::fleet::{Fleet, Terms, Writer, by_sentinels};

const TERMS: Terms =
    Terms { lease: Duration::from_secs(4), wait: Duration::from_secs(10), deadline: Duration::from_secs(1) };

/// Three seconds are meant, and this is for a machine that does much else.
const RECOVERY: Duration = Duration::from_secs(20);

/// Writes until it is told to stop. What is said while a master is lost is a 503; or a 409 where the new master lacks
/// the lease, since a replica may lag.
async fn write(writer: Writer, stop: Arc<AtomicBool>) -> Writer {
    for entry in 1000.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let reply = writer.post(entry % 2, &format!("/append/{entry}")).await;
        let expected = [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE, StatusCode::CONFLICT];
        assert!(expected.contains(&reply.status), "{}: {}", reply.status, reply.text());
        assert!(reply.set_cookies().is_empty(), "nobody is logged out");
    }
    writer
}

/// Asks until it is served.
pub(crate) async fn served(writer: &Writer, member: usize, path: &str, since: Instant) {
    loop {
        let reply = writer.post(member, path).await;
        if reply.status == StatusCode::OK {
            return;
        }
        let expected = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::CONFLICT];
        assert!(expected.contains(&reply.status), "{path}: {}: {}", reply.status, reply.text());
        assert!(since.elapsed() < RECOVERY, "{path} is not served after {:?}", since.elapsed());
    }
}

async fn through_a_failover(count: usize, what: &str, begin: impl AsyncFnOnce(&mut Redis, &Sentinels)) {
    let (main, sentinels) = Sentinels::start(count).await;
    let way = by_sentinels(&sentinels);
    let mut fleet = Fleet::by_ways(&[way.clone(), way], main, TERMS).await;
    let watcher = fleet.writer().await;
    assert_eq!(watcher.post(0, "/append/1").await.status, StatusCode::OK);
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        writers.spawn(write(fleet.writer().await, Arc::clone(&stop)));
    }
    // The sessions have reached the replica: what it lacks is lost, as the guide says.
    fleet.replicated().await;

    begin(fleet.redis(), &sentinels).await;
    sentinels.promoted().await;
    let promoted = Instant::now();
    for member in [0, 1] {
        served(&watcher, member, &format!("/append/{}", member + 2), promoted).await;
    }
    println!("{what}: served again {:?} after the promotion", promoted.elapsed());
    stop.store(true, Ordering::SeqCst);
    while let Some(writer) = writers.join_next().await {
        let writer = writer.unwrap();
        served(&writer, 0, "/append/9", Instant::now()).await;
        let mut entries = writer.entries(1).await;
        let all = entries.len();
        entries.sort_unstable();
        entries.dedup();
        assert_eq!(entries.len(), all, "an entry is doubled");
        assert!(entries.contains(&9), "what is acknowledged after the failover is there");
    }
    // One append may have been answered with a 503 though it was made, and is made again.
    let mut entries = watcher.entries(0).await;
    entries.dedup();
    assert_eq!(entries, [1, 2, 3]);
    assert_eq!(watcher.post(1, "/end").await.status, StatusCode::OK);
    assert_eq!(watcher.get(0, "/entries").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_killed_is_left_for_the_one_that_the_sentinels_promote() {
    through_a_failover(3, "a killed master", async |main, _| main.kill()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_hangs_is_left_for_the_one_that_the_sentinels_promote() {
    through_a_failover(1, "a hanging master", async |main, _| main.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_that_is_asked_for_is_followed() {
    through_a_failover(1, "a failover by command", async |_, sentinels| sentinels.fail_over().await).await;
}
