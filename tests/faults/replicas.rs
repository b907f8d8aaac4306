//! `wait_replicas`: what is acknowledged is there after a failover.

use std::time::Duration;

use axum::http::StatusCode;
use redis::cmd;
use session_tests::{Gate, Redis, redis_server::EAGER};
use tokio::time::Instant;

use crate::fleet::{Fleet, Terms, Way, Writer, assert_problem};

const TERMS: Terms =
    Terms { lease: Duration::from_secs(4), wait: Duration::from_secs(10), deadline: Duration::from_secs(2) };

/// Which member of the fleet waits for a replica.
const PLAIN: usize = 0;
const WAITING: usize = 1;

/// For a machine that does much else.
const RECOVERY: Duration = Duration::from_secs(20);

/// A master and its replica, each behind a gate: on the way from the replica to the master, and of the fleet to either.
struct Pair {
    replica: Redis,
    link: Gate,
    way: Gate,
    fleet: Fleet,
}

impl Pair {
    async fn start() -> Self {
        let master = Redis::start_with(EAGER).await;
        let (link, way) = (Gate::to(master.port()).await, Gate::to(master.port()).await);
        let replica = Redis::start_replica(link.port()).await;
        let plain: Way = vec![("REDIS_URL", way.url())];
        let waiting = vec![("REDIS_URL", way.url()), ("REPLICAS", "1".to_owned())];
        Self { fleet: Fleet::by_ways(&[plain, waiting], master, TERMS).await, replica, link, way }
    }

    /// Sessions with one entry each, which the replica has.
    async fn writers<const N: usize>(&mut self) -> [Writer; N] {
        let mut writers = Vec::new();
        for _ in 0..N {
            let writer = self.fleet.writer().await;
            assert_eq!(writer.post(PLAIN, "/append/1").await.status, StatusCode::OK);
            writers.push(writer);
        }
        self.fleet.replicated().await;
        writers.try_into().unwrap_or_else(|_| unreachable!())
    }

    /// The master dies, the replica takes over as it is, and the fleet has found it.
    async fn fail_over(&mut self, witness: &Writer) {
        self.fleet.redis().kill();
        let mut replica = self.replica.connect().await;
        let _: () = cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut replica).await.unwrap();
        self.way.lead_to(self.replica.port());
        let start = Instant::now();
        for member in [PLAIN, WAITING] {
            while witness.get(member, "/entries").await.status == StatusCode::SERVICE_UNAVAILABLE {
                assert!(start.elapsed() < RECOVERY, "not served after {:?}", start.elapsed());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_replica_that_lags_takes_over_only_what_was_waited_for_is_still_so() {
    let mut pair = Pair::start().await;
    let [witness, left, kept, changed, rewritten, rotating] = pair.writers().await;
    pair.link.shut();

    // Acknowledged, and undone by what follows.
    assert_eq!(left.post(PLAIN, "/end").await.status, StatusCode::OK);
    assert_eq!(left.get(PLAIN, "/entries").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(changed.post(PLAIN, "/append/2").await.status, StatusCode::OK);
    // Not acknowledged.
    for (writer, path) in [(&kept, "/end"), (&rewritten, "/append/2"), (&rewritten, "/update/3")] {
        let reply = writer.post(WAITING, path).await;
        assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        assert!(reply.text().contains("may have been made or not"), "{path}: {}", reply.text());
        assert!(reply.set_cookies().is_empty(), "{path}");
    }
    // The new id is in force, so its client is told of it.
    let rotated = rotating.post(WAITING, "/rotate").await;
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.text());
    assert_eq!(rotating.rotated(&rotated).entries(PLAIN).await, [1]);

    pair.fail_over(&witness).await;
    assert_eq!(left.entries(WAITING).await, [1], "a logout is undone");
    assert_eq!(changed.entries(WAITING).await, [1], "a change is undone");
    assert_eq!(kept.entries(WAITING).await, [1], "nobody was told that this one ended");
    assert_eq!(rewritten.entries(WAITING).await, [1], "nobody was told that this one changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_after_a_replica_has_it_outlives_the_master() {
    let mut pair = Pair::start().await;
    let writers: [Writer; 12] = pair.writers().await;
    let [witness, left, changed, updated, rotating, others @ ..] = &writers;
    assert_eq!(changed.post(WAITING, "/append/2").await.status, StatusCode::OK);
    assert_eq!(updated.post(WAITING, "/update/2").await.status, StatusCode::OK);
    let rotated = rotating.rotated(&rotating.post(WAITING, "/rotate").await);
    for writer in others {
        assert_eq!(writer.post(WAITING, "/end").await.status, StatusCode::OK);
    }
    assert_eq!(left.post(WAITING, "/end").await.status, StatusCode::OK);

    pair.fail_over(witness).await;
    for writer in others.iter().chain([left]) {
        assert_eq!(writer.get(PLAIN, "/entries").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(changed.entries(PLAIN).await, [1, 2]);
    assert_eq!(updated.entries(PLAIN).await, [1, 2]);
    assert_eq!(rotated.entries(PLAIN).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_is_not_told_whose_session_was_read_from_a_save_that_no_replica_has() {
    let mut pair = Pair::start().await;
    let [writer] = pair.writers().await;
    let first = writer.posting(WAITING, "/hold/2");
    pair.fleet.held(WAITING, 1).await;
    let second = writer.posting(WAITING, "/hold/3");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let rotating = writer.posting(WAITING, "/promote/4");
    // Both queue by then.
    tokio::time::sleep(Duration::from_millis(300)).await;
    pair.fleet.open(WAITING).await;
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    pair.fleet.held(WAITING, 1).await;
    pair.link.shut();
    pair.fleet.open(WAITING).await;
    let second = second.await.unwrap();
    assert_problem(&second, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    assert!(second.text().contains("may have been made or not"), "{}", second.text());
    assert_problem(&rotating.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    for member in [PLAIN, WAITING] {
        assert_eq!(writer.entries(member).await, [1, 2, 3], "the id is still in force");
    }
}
