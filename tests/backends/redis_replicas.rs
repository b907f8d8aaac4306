//! `redis(wait_replicas = ...)`: what is asked of a store holds as without it, and what is wrong is told at start-up.

use std::{sync::Arc, time::Duration};

use redis::cmd;
use session_runtime::{
    FromSetting,
    backend::{Acquired, Backend, Holder, Lease, Leases, OpenBackend, RecordKey, Redis, RedisConfig, Scope, Written},
    testing::conformance,
};
use session_tests::{Gate, Redis as Server, redis_server::EAGER, wait};

use crate::{
    redis_startup::{assert_says, logged_of, refusal_of, rights, run, with},
    sql::{HOUR, KEY, lease, record, touch},
    store::{Store, pair},
};

conformance! { redis_with_a_replica_conforms: Backend + Leases + KeepLease + CompareAndSet + Watch + List => pair(store().await).real_time() }

/// Longer than any test.
const PATIENT: Duration = Duration::from_secs(600);

/// Two handles on a master, whose writes wait for its replica.
async fn store() -> (Store<Redis>, (Server, Server)) {
    let master = Server::start_with(EAGER).await;
    let replica = Server::start_replica(master.port()).await;
    let [one, other] = [waiting(&master.url(), PATIENT), waiting(&master.url(), PATIENT)];
    (Store { one: Arc::new(one), other: Arc::new(other) }, (master, replica))
}

fn waiting(url: &str, timeout: Duration) -> Redis {
    Redis::new(url, "shop:User:").unwrap().wait_replicas(1, timeout)
}

/// A master whose replica has what there is, and gets nothing more.
async fn lagging() -> (Server, Server, Gate) {
    let master = Server::start_with(EAGER).await;
    let link = Gate::to(master.port()).await;
    let replica = Server::start_replica(link.port()).await;
    let redis = waiting(&master.url(), PATIENT);
    assert!(redis.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(redis.update(&KEY, 1, record(2, "x"), touch()).await.unwrap(), Written::Done);
    link.shut();
    (master, replica, link)
}

#[tokio::test]
async fn what_no_replica_acknowledges_is_done_and_an_error() {
    let (master, _replica, _link) = lagging().await;
    let (redis, plain) = (waiting(&master.url(), Duration::from_millis(20)), waiting(&master.url(), Duration::ZERO));
    assert_says(
        &redis.update(&KEY, 2, record(3, "y"), touch()).await.unwrap_err().to_string(),
        &["the change is made", "0 of 1"],
    );
    assert_eq!(plain.peek(&KEY).await.unwrap().unwrap().version, 3);
    let lease: Lease = lease(Holder::new());
    assert!(
        matches!(redis.acquire(&KEY, lease, touch()).await.unwrap(), Acquired::Granted(_)),
        "a lease waits for nobody"
    );
    redis.save(&KEY, lease, 3, record(4, "z"), touch()).await.unwrap_err();
    assert_eq!(plain.peek(&KEY).await.unwrap().unwrap().version, 4);
    // The second finds nothing, and says no more than the first.
    for _ in 0..2 {
        redis.delete(&KEY).await.unwrap_err();
    }
    assert!(plain.peek(&KEY).await.unwrap().is_none());
}

#[tokio::test]
async fn while_a_write_waits_for_a_replica_others_are_served() {
    let (master, _replica, _link) = lagging().await;
    let redis = Arc::new(waiting(&master.url(), PATIENT));
    let writer = tokio::spawn({
        let redis = Arc::clone(&redis);
        async move { redis.update(&KEY, 2, record(3, "y"), touch()).await }
    });
    let written = async || redis.peek(&KEY).await.unwrap().unwrap().version == 3;
    wait::until(wait::ANSWER, "the write is made", written).await;
    assert!(!writer.is_finished());
    assert!(redis.load(&KEY, touch()).await.unwrap().is_some());
    let other = RecordKey::from_bytes([2; 32]);
    assert!(redis.create(&other, record(1, "x"), touch()).await.unwrap(), "a login waits for nobody");
    let lease = Lease { ttl: HOUR, ..lease(Holder::new()) };
    assert!(matches!(redis.acquire(&other, lease, touch()).await.unwrap(), Acquired::Granted(_)));
    redis.release(&other, lease).await.unwrap();
    assert!(!writer.is_finished());
    writer.abort();
}

#[tokio::test]
async fn too_few_replicas_are_told_at_start_up_and_the_right_to_wait_is_asked_for() {
    let server = Server::start().await;
    let short = |url: &str| waiting(url, Duration::from_millis(20));
    assert_says(
        &logged_of(short(&server.url())).await,
        &["WARN", "session.not_replicated", "wait_replicas", "wanted=1"],
    );
    run(&server, &rights()).await;
    let text = refusal_of(short(&with(&server, "shop:hunter2"))).await;
    assert_says(&text, &["names a user who lacks rights; give it `+wait`"]);
    let replica = Server::start_with(EAGER).await;
    run(&replica, &format!("REPLICAOF 127.0.0.1 {}", server.port())).await;
    let mut connection = server.connect().await;
    let linked = async || {
        let info: String = cmd("INFO").arg("replication").query_async(&mut connection).await.unwrap();
        info.contains("state=online")
    };
    wait::until(wait::START, "the replica is linked", linked).await;
    run(&server, &format!("{} +wait", rights())).await;
    assert_eq!(logged_of(waiting(&with(&server, "shop:hunter2"), PATIENT)).await, "");
}

#[tokio::test]
async fn what_the_arguments_say_is_checked() {
    let refused = async |count: Option<&str>, timeout: &str| {
        let mut config = RedisConfig::default();
        config.url = Some(FromSetting::from_setting("redis://127.0.0.1:1").unwrap());
        config.wait_replicas = count.map(|count| FromSetting::from_setting(count).unwrap());
        config.wait_timeout = Some(FromSetting::from_setting(timeout).unwrap());
        Redis::open(config, &Scope::new("shop", "User")).await.map(drop).unwrap_err().to_string()
    };
    assert_says(&refused(None, "1s").await, &["`backend = redis(wait_timeout)`", "add `wait_replicas = 1`"]);
    assert_says(&refused(Some("1"), "11s").await, &["`backend = redis(wait_timeout)`", "at most \"10s\""]);
}
