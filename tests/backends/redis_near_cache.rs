//! `redis(near_cache = ...)`: reads that ask nothing, and what other processes change is seen all the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redis::cmd;
use session_runtime::{
    FromSetting,
    backend::{Backend, OpenBackend, RecordKey, Redis, RedisConfig, Scope, Written},
    testing::{Pair, conformance},
};
use session_tests::{Gate, Redis as Server, redis_server::EAGER, wait};

use crate::{
    redis_startup::{assert_says, logged_of, refusal_of, rights, run, with},
    sql::{KEY, record, touch},
};

/// Longer than any test.
const PATIENT: Duration = Duration::from_secs(600);
/// How often a change meets a read.
const RACES: u32 = 10_000;

conformance! { redis_with_a_near_cache_conforms: Backend + Leases + KeepLease + CompareAndSet + Watch + List => pair().await.real_time() }

/// One handle: what another one has changed is seen a moment later.
async fn pair() -> Pair {
    let server = Server::start().await;
    let redis = Arc::new(near(&server.url(), PATIENT));
    Pair::new(Arc::clone(&redis), redis).keeping(server)
}

fn near(url: &str, bound: Duration) -> Redis {
    Redis::new(url, "shop:User:").unwrap().near_cache(bound)
}

fn plain(url: &str) -> Redis {
    Redis::new(url, "shop:User:").unwrap()
}

async fn version(redis: &Redis) -> Option<u64> {
    redis.load(&KEY, touch()).await.unwrap().map(|record| record.version)
}

/// Waits until what is read is this.
async fn until(redis: &Redis, expected: Option<u64>) {
    wait::until(wait::ANSWER, "the change is seen", async || {
        redis.load(&KEY, touch()).await.is_ok_and(|found| found.map(|record| record.version) == expected)
    })
    .await;
}

#[tokio::test]
async fn a_session_that_was_read_is_read_again_without_a_command() {
    let server = Server::start().await;
    let redis = near(&server.url(), PATIENT);
    let keys: Vec<_> = (0..100).map(|number| RecordKey::from_bytes([number; 32])).collect();
    for key in &keys {
        assert!(redis.create(key, record(1, "x"), touch()).await.unwrap());
        assert!(redis.load(key, touch()).await.unwrap().is_some());
    }
    let before = server.commands().await;
    for _ in 0..100 {
        for key in &keys {
            assert_eq!(redis.load(key, touch()).await.unwrap().unwrap().version, 1);
        }
    }
    let ran = server.commands().await.since(&before);
    assert_eq!(ran.of("get") + ran.of("getex") + ran.of("evalsha"), 0, "{ran:?}");
}

#[tokio::test]
async fn ones_own_change_is_in_ones_next_read() {
    let server = Server::start().await;
    let redis = near(&server.url(), PATIENT);
    for _ in 0..200 {
        assert!(redis.create(&KEY, record(1, "x"), touch()).await.unwrap());
        for next in 2..5 {
            assert_eq!(version(&redis).await, Some(next - 1));
            assert_eq!(redis.update(&KEY, next - 1, record(next, "y"), touch()).await.unwrap(), Written::Done);
        }
        assert_eq!(version(&redis).await, Some(4));
        assert!(redis.delete(&KEY).await.unwrap());
        assert_eq!(version(&redis).await, None);
    }
}

/// One process changes and ends a session again and again while another one reads it all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_does_is_seen_and_never_undone() {
    let server = Server::start().await;
    let (here, there) = (Arc::new(near(&server.url(), PATIENT)), plain(&server.url()));
    let stop = Arc::new(AtomicBool::new(false));
    // Reads that meet everything that the test does.
    let reader = tokio::spawn({
        let (here, stop) = (Arc::clone(&here), Arc::clone(&stop));
        async move {
            let mut newest = 0;
            while !stop.load(Ordering::Relaxed) {
                if let Some(version) = version(&here).await {
                    assert!(version >= newest, "version {version} after {newest}");
                    newest = version;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let mut delays = Vec::new();
    for round in 0..RACES {
        // Versions go on from session to session, so that a former one is told from a later one.
        let first = u64::from(round) * 2 + 1;
        assert!(there.create(&KEY, record(first, "x"), touch()).await.unwrap());
        assert_eq!(there.update(&KEY, first, record(first + 1, "y"), touch()).await.unwrap(), Written::Done);
        assert!(there.delete(&KEY).await.unwrap());
        let ended = Instant::now();
        while version(&here).await.is_some() {
            assert!(ended.elapsed() < wait::ANSWER, "round {round}: the end is not seen");
            tokio::task::yield_now().await;
        }
        delays.push(ended.elapsed());
        assert_eq!(version(&here).await, None, "round {round}: it came back");
    }
    stop.store(true, Ordering::Relaxed);
    reader.await.unwrap();
    delays.sort_unstable();
    let at = |part: usize| delays[(delays.len() - 1) * part / 1000];
    println!("seen after {:?} (median), {:?} (99 %), {:?} (most)", at(500), at(990), at(1000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_goes_silent_is_believed_for_the_bound_and_no_longer() {
    const BOUND: Duration = Duration::from_millis(400);
    let server = Server::start().await;
    let gate = Gate::to(server.port()).await;
    let (here, there) = (near(&gate.url(), BOUND), plain(&server.url()));
    for round in 0..3 {
        let first = round * 10 + 1;
        assert!(there.create(&KEY, record(first, "x"), touch()).await.unwrap());
        until(&here, Some(first)).await;
        gate.silence();
        let silent = Instant::now();
        assert!(there.delete(&KEY).await.unwrap());
        loop {
            let asked = Instant::now();
            match here.load(&KEY, touch()).await {
                Ok(None) => break,
                Ok(Some(_)) => assert!(asked < silent + BOUND, "read {:?} after the silence", asked - silent),
                Err(error) => panic!("a connection is replaced: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn sessions_that_go_all_at_once_are_gone_here_as_well() {
    let mut server = Server::start().await;
    let (here, there) = (near(&server.url(), PATIENT), plain(&server.url()));
    for command in ["FLUSHALL", "FLUSHDB", "restart"] {
        assert!(there.create(&KEY, record(1, "x"), touch()).await.unwrap());
        until(&here, Some(1)).await;
        match command {
            "restart" => server.restart().await,
            command => run(&server, command).await,
        }
        until(&here, None).await;
    }
}

#[tokio::test]
async fn a_replica_that_takes_over_says_what_is_so() {
    let mut master = Server::start_with(EAGER).await;
    let replica = Server::start_replica(master.port()).await;
    let gate = Gate::to(master.port()).await;
    let (here, there) = (near(&gate.url(), PATIENT), plain(&replica.url()));
    assert!(plain(&master.url()).create(&KEY, record(1, "x"), touch()).await.unwrap());
    until(&here, Some(1)).await;
    let name = format!("shop:User:{{{KEY}}}");
    let has = async || cmd("EXISTS").arg(&name).query_async(&mut replica.connect().await).await.unwrap();
    wait::until(wait::ANSWER, "the replica has it", has).await;
    master.kill();
    run(&replica, "REPLICAOF NO ONE").await;
    gate.lead_to(replica.port());
    assert_eq!(there.update(&KEY, 1, record(2, "y"), touch()).await.unwrap(), Written::Done);
    until(&here, Some(2)).await;
    assert!(there.delete(&KEY).await.unwrap());
    until(&here, None).await;
}

/// What Redis forgets by itself it keeps for as long as a use may go unnoted, since reads do not slide it.
#[tokio::test]
async fn a_session_is_kept_for_as_long_as_a_use_may_go_unnoted() {
    let server = Server::start().await;
    let redis = near(&server.url(), PATIENT);
    assert!(redis.create(&KEY, record(1, "x"), touch()).await.unwrap());
    let idle = touch().idle;
    let name = format!("shop:User:{{{KEY}}}");
    let left: u64 = cmd("PTTL").arg(&name).query_async(&mut server.connect().await).await.unwrap();
    assert!(Duration::from_millis(left) > idle, "{left} ms for {idle:?}");
}

#[tokio::test]
async fn who_is_told_of_changes_needs_the_right() {
    let server = Server::start().await;
    run(&server, &rights()).await;
    let url = with(&server, "shop:hunter2");
    let text = refusal_of(near(&url, PATIENT)).await;
    assert_says(&text, &["names a user who lacks rights; give it `+client|tracking`"]);
    // Opened all the same, it asks for each read.
    let (here, there) = (near(&url, PATIENT), plain(&server.url()));
    assert!(there.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(version(&here).await, Some(1));
    assert!(there.delete(&KEY).await.unwrap());
    assert_eq!(version(&here).await, None);
    run(&server, &format!("{} +client|tracking", rights())).await;
    assert_eq!(logged_of(near(&url, PATIENT)).await, "");
}

#[tokio::test]
async fn the_bound_is_one_that_can_be_kept() {
    for bound in ["99ms", "11s"] {
        let mut config = RedisConfig::default();
        config.url = Some(FromSetting::from_setting("redis://127.0.0.1:1").unwrap());
        config.near_cache = Some(FromSetting::from_setting(bound).unwrap());
        let text = Redis::open(config, &Scope::new("shop", "User")).await.map(drop).unwrap_err().to_string();
        assert_says(&text, &["`backend = redis(near_cache)`", "from \"100ms\" to \"10s\""]);
    }
}
