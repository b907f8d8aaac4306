//! Another Redis takes over behind the same address, while the one of before goes on answering.

use std::time::Duration;

use axum::http::StatusCode;
use redis::cmd;
use session_tests::{Gate, Redis, wait};
use tokio::time::Instant;

use crate::fleet::{Fleet, Terms, Writer, assert_problem};

const TERMS: Terms =
    Terms { lease: Duration::from_secs(600), wait: Duration::from_secs(10), deadline: Duration::from_secs(1) };

/// Three seconds are meant, and this is for a machine that does much else.
const RECOVERY: Duration = Duration::from_secs(10);

/// A master with a replica that has all it has, and a fleet whose way leads to the master.
struct Pair {
    gate: Gate,
    replica: Redis,
    fleet: Fleet,
    writer: Writer,
}

impl Pair {
    async fn start() -> Self {
        let (master, replica) = (Redis::start().await, Redis::start().await);
        replicate(&replica, master.port()).await;
        let gate = Gate::to(master.port()).await;
        let fleet = Fleet::by(&[gate.url()], master, TERMS).await;
        let writer = fleet.writer().await;
        assert_eq!(writer.post(0, "/append/1").await.status, StatusCode::OK);
        Self { gate, replica, fleet, writer }
    }

    /// Waits until the replica has what was written.
    async fn replicated(&mut self) {
        self.fleet.replicated().await;
    }

    /// Makes the replica a master of its own.
    async fn promote(&self) {
        let mut replica = self.replica.connect().await;
        let _: () = cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut replica).await.unwrap();
    }

    /// Asks until reads and writes are served.
    async fn recover(&self, what: &str) {
        let start = Instant::now();
        for path in ["/greeting", "/append/2", "/update/3"] {
            loop {
                let reply = match path {
                    "/greeting" => self.writer.get(0, path).await,
                    path => self.writer.post(0, path).await,
                };
                if reply.status == StatusCode::OK {
                    break;
                }
                assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
                assert!(start.elapsed() < RECOVERY, "{what}: {path} is not served after {:?}", start.elapsed());
            }
        }
        println!("{what}: served again after {:?}", start.elapsed());
        assert_eq!(self.writer.entries(0).await, [1, 2, 3]);
    }
}

async fn replicate(replica: &Redis, port: u16) {
    let mut connection = replica.connect().await;
    let _: () = cmd("REPLICAOF").arg("127.0.0.1").arg(port).query_async(&mut connection).await.unwrap();
    let linked = async || {
        let info: String = cmd("INFO").arg("replication").query_async(&mut replica.connect().await).await.unwrap();
        info.contains("master_link_status:up")
    };
    wait::until(wait::ANSWER, "the replica has a link to its master", linked).await;
}

/// The old master stays up as a replica of the new one, with the connections that it had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_became_a_replica_is_left_for_the_new_one_at_once() {
    let mut pair = Pair::start().await;
    pair.replicated().await;
    pair.promote().await;
    pair.gate.lead_to(pair.replica.port());
    let port = pair.replica.port();
    replicate(pair.fleet.redis(), port).await;
    pair.recover("a demoted master").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_address_still_leads_to_the_replica_requests_are_503s_and_then_served() {
    let mut pair = Pair::start().await;
    pair.replicated().await;
    pair.promote().await;
    let port = pair.replica.port();
    replicate(pair.fleet.redis(), port).await;
    for _ in 0..2 {
        let reply = pair.writer.post(0, "/append/9").await;
        assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    pair.gate.lead_to(port);
    pair.recover("an address that moves late").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_without_its_master_is_left_for_the_new_master() {
    let mut pair = Pair::start().await;
    pair.replicated().await;
    pair.promote().await;
    let mut old = pair.fleet.redis().connect().await;
    // MASTERDOWN is its answer to everything from here on.
    let _: () = cmd("CONFIG").arg("SET").arg("replica-serve-stale-data").arg("no").query_async(&mut old).await.unwrap();
    let _: () = cmd("REPLICAOF").arg("127.0.0.1").arg(1).query_async(&mut old).await.unwrap();
    pair.gate.lead_to(pair.replica.port());
    pair.recover("a replica without its master").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_hangs_is_left_for_the_one_that_took_over() {
    let mut pair = Pair::start().await;
    pair.replicated().await;
    pair.fleet.redis().stop();
    pair.promote().await;
    pair.gate.lead_to(pair.replica.port());
    pair.recover("a hanging master").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_killed_is_left_for_the_one_that_took_over() {
    let mut pair = Pair::start().await;
    pair.replicated().await;
    pair.fleet.redis().kill();
    pair.promote().await;
    pair.gate.lead_to(pair.replica.port());
    pair.recover("a killed master").await;
}

/// A server that loads its file takes connections and answers LOADING.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_loads_its_file_is_waited_for() {
    let mut fleet = Fleet::with(Redis::start_durable().await, 1, TERMS).await;
    let writer = fleet.writer().await;
    let mut connection = fleet.redis().connect().await;
    let mut fill = redis::pipe();
    (0..1000).for_each(|key| _ = fill.cmd("SET").arg(format!("filler:{key}")).arg("x").ignore());
    let _: () = fill.query_async(&mut connection).await.unwrap();
    // Two milliseconds a key, and clients are served meanwhile.
    let slow = ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"];
    fleet.redis().restart_with(&slow).await;
    let start = Instant::now();
    loop {
        let reply = writer.post(0, "/append/1").await;
        if reply.status == StatusCode::OK {
            break;
        }
        assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        assert!(start.elapsed() < RECOVERY * 3, "not served after {:?}", start.elapsed());
    }
    assert_eq!(writer.entries(0).await, [1]);
}
