//! A cluster loses a master, moves its slots and grows, while two processes are under load.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use redis::cmd;
use session_tests::{Cluster, Redis, wait};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    fleet::{Fleet, Terms, Writer, assert_problem},
    sentinel::served,
};

const TERMS: Terms =
    Terms { lease: Duration::from_secs(4), wait: Duration::from_secs(10), deadline: Duration::from_secs(1) };

/// Between two steps of a migration.
const STEP: Duration = Duration::from_millis(150);

/// Who writes, and what was acknowledged.
struct Scribe {
    writer: Writer,
    acknowledged: Vec<u32>,
}

/// Writers that go on until they are stopped, on both processes in turn.
struct Load {
    stop: Arc<AtomicBool>,
    scribes: JoinSet<Scribe>,
}

impl Load {
    /// What is answered beside 200 is one of these.
    fn start(writers: Vec<Writer>, besides: &'static [StatusCode]) -> Self {
        let (stop, mut scribes) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for writer in writers {
            let stop = Arc::clone(&stop);
            scribes.spawn(async move {
                let mut acknowledged = Vec::new();
                for entry in 1000.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let path = ["append", "update"][entry as usize / 2 % 2];
                    let reply = writer.post(entry as usize % 2, &format!("/{path}/{entry}")).await;
                    if reply.status == StatusCode::OK {
                        acknowledged.push(entry);
                    } else {
                        assert!(besides.contains(&reply.status), "{path}: {}: {}", reply.status, reply.text());
                    }
                    assert!(reply.set_cookies().is_empty(), "nobody is logged out");
                }
                Scribe { writer, acknowledged }
            });
        }
        Self { stop, scribes }
    }

    async fn stop(mut self) -> Vec<Scribe> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        while let Some(scribe) = wait::within(wait::START, "a writer stops", self.scribes.join_next()).await {
            all.push(scribe.unwrap());
        }
        all
    }
}

/// Two processes on a cluster of the test's own.
struct Case {
    cluster: Cluster,
    fleet: Fleet,
}

impl Case {
    async fn start(cluster: Cluster) -> Self {
        let fleet = Fleet::on_this_cluster(&cluster, 2, TERMS).await;
        Self { cluster, fleet }
    }

    /// So many sessions, the first of them with one entry.
    async fn writers(&self, count: usize) -> Vec<Writer> {
        let mut writers = Vec::new();
        for _ in 0..count {
            writers.push(self.fleet.writer().await);
        }
        assert_eq!(writers[0].post(0, "/append/1").await.status, StatusCode::OK);
        writers
    }

    /// The sessions, and the masters that have them.
    async fn sessions(&self) -> Vec<(usize, String)> {
        let mut keys = self.cluster.keys("ledger:").await;
        keys.retain(|(_, key)| !key.ends_with(":lease"));
        keys
    }

    /// Waits until no lease is left: a request that was given up may have left one that lapses.
    async fn no_lease_stays(&self, masters: &[usize]) {
        let none = async || {
            let mut leases = 0;
            for master in masters {
                let mut keys = cmd("KEYS");
                keys.arg("*:lease");
                let mut connection = self.cluster.nodes[*master].connect().await;
                leases += keys.query_async::<Vec<String>>(&mut connection).await.unwrap().len();
            }
            leases == 0
        };
        wait::until(wait::ANSWER, "no lease stays", none).await;
    }
}

/// Everything acknowledged is there, once.
async fn nothing_is_lost(scribes: Vec<Scribe>) {
    for Scribe { writer, acknowledged } in scribes {
        let entries = writer.entries(0).await;
        assert!(!acknowledged.is_empty(), "the writer was served");
        for entry in acknowledged {
            assert_eq!(entries.iter().filter(|other| **other == entry).count(), 1, "{entry} is there once");
        }
    }
}

async fn through_a_failover(what: &str, lose: impl FnOnce(&mut Redis)) {
    let mut case = Case::start(Cluster::start().await).await;
    let mut writers = case.writers(12).await;
    // Of twelve sessions, some are on the master that goes.
    case.cluster.replicated().await;
    let watcher = writers.remove(0);
    // A replica may lag, so the new master may lack a lease.
    let load = Load::start(writers, &[StatusCode::SERVICE_UNAVAILABLE, StatusCode::CONFLICT]);
    let (lost, _) = case.sessions().await.remove(0);
    lose(&mut case.cluster.nodes[lost]);
    case.cluster.promoted(lost).await;
    let promoted = Instant::now();
    for member in [0, 1] {
        served(&watcher, member, &format!("/append/{}", member + 2), promoted).await;
    }
    let scribes = load.stop().await;
    for scribe in &scribes {
        served(&scribe.writer, 0, "/append/9", promoted).await;
        assert!(scribe.writer.entries(1).await.contains(&9), "what is acknowledged after the failover is there");
    }
    println!("{what}: all are served again {:?} after the promotion", promoted.elapsed());
    // One append may have been answered with a 503 though it was made, and is made again.
    let mut entries = watcher.entries(0).await;
    entries.dedup();
    assert_eq!(entries, [1, 2, 3]);
    assert_eq!(watcher.post(1, "/end").await.status, StatusCode::OK);
    assert_eq!(watcher.get(0, "/entries").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(case.fleet.client(0).post("/start").await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_killed_under_load_is_left_for_its_replica() {
    through_a_failover("a killed master", Redis::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_hangs_under_load_is_left_for_its_replica() {
    through_a_failover("a hanging master", Redis::stop).await;
}

/// Scripts with two keys wait while these are on two sides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_is_migrated_under_load_loses_and_doubles_nothing() {
    let case = Case::start(Cluster::start_masters().await).await;
    let writers = case.writers(4).await;
    let keys = case.sessions().await;
    assert_eq!(keys.len(), 4);
    let load = Load::start(writers, &[StatusCode::SERVICE_UNAVAILABLE]);
    for (from, key) in &keys {
        case.cluster.migrate(case.cluster.slot(key).await, *from, (from + 1) % 3, STEP).await;
    }
    // Once more with writers who know the way by now, and back.
    for (from, key) in &keys {
        case.cluster.migrate(case.cluster.slot(key).await, (from + 1) % 3, *from, Duration::ZERO).await;
    }
    let scribes = load.stop().await;
    for scribe in &scribes {
        assert_eq!(scribe.writer.post(0, "/append/9").await.status, StatusCode::OK);
        assert_eq!(scribe.writer.post(1, "/update/10").await.status, StatusCode::OK);
    }
    nothing_is_lost(scribes).await;
    case.no_lease_stays(&[0, 1, 2]).await;
}

/// As Valkey 9 does it, no slot is on two sides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_valkey_moves_at_once_under_load_loses_and_doubles_nothing() {
    let case = Case::start(Cluster::start_valkey_masters().await).await;
    let writers = case.writers(4).await;
    let keys = case.sessions().await;
    let load = Load::start(writers, &[StatusCode::SERVICE_UNAVAILABLE]);
    for (from, key) in &keys {
        case.cluster.migrate_at_once(case.cluster.slot(key).await, *from, (from + 1) % 3).await;
    }
    let scribes = load.stop().await;
    nothing_is_lost(scribes).await;
    case.no_lease_stays(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_added_under_load_serves_what_is_moved_to_it() {
    let mut case = Case::start(Cluster::start_masters().await).await;
    let writers = case.writers(4).await;
    let keys = case.sessions().await;
    let load = Load::start(writers, &[StatusCode::SERVICE_UNAVAILABLE]);
    case.cluster.add().await;
    let added = case.cluster.nodes.len() - 1;
    for (from, key) in &keys {
        case.cluster.migrate(case.cluster.slot(key).await, *from, added, STEP).await;
    }
    let scribes = load.stop().await;
    for scribe in &scribes {
        assert_eq!(scribe.writer.post(0, "/append/9").await.status, StatusCode::OK);
    }
    let mut size = case.cluster.nodes[added].connect().await;
    assert!(cmd("DBSIZE").query_async::<usize>(&mut size).await.unwrap() >= 4, "the sessions are on the new node");
    nothing_is_lost(scribes).await;
}

/// A cluster that has lost a master without a replica serves nothing at all by default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_nobody_serves_costs_503s_in_time_until_it_is_served_again() {
    let mut case = Case::start(Cluster::start_masters().await).await;
    let writer = case.writers(1).await.remove(0);
    let lost = case.cluster.keys("ledger:").await[0].0;
    let others: Vec<usize> = (0..3).filter(|master| *master != lost).collect();
    case.cluster.nodes[lost].kill();
    let start = Instant::now();
    let reply = writer.post(0, "/append/2").await;
    assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    assert!(start.elapsed() < wait::ANSWER / 2, "503 after {:?}", start.elapsed());
    let down = async || {
        let info: redis::RedisResult<String> =
            cmd("CLUSTER").arg("INFO").query_async(&mut case.cluster.nodes[others[0]].connect().await).await;
        info.is_ok_and(|info| info.contains("cluster_state:fail"))
    };
    wait::until(wait::START, "the cluster is down", down).await;
    for member in [0, 1] {
        assert_problem(&writer.get(member, "/entries").await, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        let refused = case.fleet.client(member).post("/start").await;
        assert_problem(&refused, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    // It comes back empty: that session is over.
    case.cluster.nodes[lost].restart().await;
    let since = Instant::now();
    loop {
        let reply = writer.get(1, "/entries").await;
        if reply.status == StatusCode::UNAUTHORIZED {
            break;
        }
        assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        assert!(since.elapsed() < wait::START, "not served after {:?}", since.elapsed());
    }
    let writer = case.fleet.writer().await;
    assert_eq!(writer.post(1, "/append/1").await.status, StatusCode::OK);
    assert_eq!(writer.entries(0).await, [1]);
}
