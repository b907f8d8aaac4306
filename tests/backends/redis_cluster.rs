//! Redis Cluster: the sessions live there as anywhere, and what is wrong is told at start-up.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use redis::cmd;
use serde::{Deserialize, Serialize};
use session_runtime::{
    FromSetting, OpenError, SessionData, Sessions,
    backend::{Acquired, Backend, Holder, Leases, OpenBackend, RecordKey, Redis, RedisConfig, Scope, Watch},
    testing::conformance,
};
use session_tests::{Cluster, Redis as Server, certificates::Authority, port::Port, wait};

use crate::{
    redis_startup::{assert_says, logging, rights, run},
    sql::{lease, record, touch},
    store::{Store, pair},
};

conformance! { redis_cluster_conforms: Backend + Leases + KeepLease + CompareAndSet + Watch => pair(store().await).real_time() }
conformance! { valkey_cluster_conforms: Backend + Leases + KeepLease + CompareAndSet + Watch => pair(on_valkey().await).real_time() }

/// Two ways to a cluster that other tests use as well, under names of their own.
pub(crate) async fn store() -> (Store<Redis>, Arc<Cluster>) {
    on(Cluster::shared().await).await
}

async fn on_valkey() -> (Store<Redis>, Arc<Cluster>) {
    on(Cluster::shared_valkey().await).await
}

async fn on(cluster: Arc<Cluster>) -> (Store<Redis>, Arc<Cluster>) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let prefix = format!("app-{}:", NUMBER.fetch_add(1, Ordering::Relaxed));
    let addresses = cluster.addresses();
    let open = async || Arc::new(open_with(&addresses, |config| config.prefix = Some(prefix.clone())).await.unwrap());
    (Store { one: open().await, other: open().await }, cluster)
}

async fn open_with(nodes: &str, change: impl FnOnce(&mut RedisConfig)) -> Result<Redis, OpenError> {
    let mut config = RedisConfig::default();
    config.cluster = Some(FromSetting::from_setting(nodes).unwrap());
    change(&mut config);
    Redis::open(config, &Scope::new("tests", "User")).await
}

async fn open(nodes: &str) -> Result<Redis, OpenError> {
    open_with(nodes, |_| {}).await
}

fn address(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port())
}

#[track_caller]
fn assert_refused(opened: Result<Redis, OpenError>, argument: &str, words: &[&str]) {
    let text = opened.unwrap_err().to_string();
    assert!(text.contains(&format!("`backend = redis({argument})`")) && !text.contains("hunter2"), "{text}");
    assert_says(&text, words);
}

async fn created(redis: &Redis, number: u8) -> bool {
    redis.create(&RecordKey::from_bytes([number; 32]), record(1, "x"), touch()).await.unwrap()
}

/// A cluster of one node.
async fn single() -> Server {
    let node = Server::start_cluster_node().await;
    run(&node, "CLUSTER ADDSLOTSRANGE 0 16383").await;
    let serves = async || {
        let info: String = cmd("CLUSTER").arg("INFO").query_async(&mut node.connect().await).await.unwrap();
        info.contains("cluster_state:ok")
    };
    wait::until(wait::START, "the node serves", serves).await;
    node
}

#[tokio::test]
async fn a_server_that_is_no_cluster_is_refused_wherever_it_stands_in_the_list() {
    let (server, node) = (Server::start().await, single().await);
    let words = ["names a server that is no node of a cluster", "write `url`", "mode: standalone", &address(&server)];
    assert_refused(open(&address(&server)).await, "cluster", &words);
    assert_refused(open(&format!("{},{}", address(&node), address(&server))).await, "cluster", &words);
}

#[tokio::test]
async fn one_node_that_answers_is_enough_and_leads_to_the_others() {
    let cluster = Cluster::shared().await;
    let mut hung = Server::start_cluster_node().await;
    hung.stop();
    let nodes = format!("127.0.0.1:1,{},{}", address(&hung), address(&cluster.nodes[1]));
    let prefix = |config: &mut RedisConfig| config.prefix = Some("leads:".to_owned());
    let (opened, log) = logging(open_with(&nodes, prefix)).await;
    assert_says(&log, &["WARN", "a node of the cluster can't be used yet", "127.0.0.1:1: ", &address(&hung)]);
    let redis = opened.unwrap();
    for number in 0..30 {
        assert!(created(&redis, number).await);
    }
    let mut per_node: HashMap<usize, usize> = HashMap::new();
    cluster.keys("leads:").await.into_iter().for_each(|(node, _)| *per_node.entry(node).or_default() += 1);
    assert_eq!((per_node.len(), per_node.values().sum::<usize>()), (3, 30), "{per_node:?}");
}

#[tokio::test]
async fn slots_that_nobody_has_are_waited_for() {
    let node = Server::start_cluster_node().await;
    run(&node, "CLUSTER ADDSLOTSRANGE 0 99").await;
    let (opened, log) = logging(open(&address(&node))).await;
    assert_says(&log, &["WARN", "can't be used yet", "no master has the slots 100-16383"]);
    let redis = opened.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(500), created(&redis, 1)).await;
    assert!(waiting.is_err(), "nobody has its slot");
    run(&node, "CLUSTER ADDSLOTSRANGE 100 16383").await;
    assert!(wait::within(wait::START, "the slots are served", created(&redis, 2)).await);
}

#[tokio::test]
async fn nodes_that_are_down_are_waited_for() {
    let mut node = single().await;
    node.kill();
    let (opened, log) = logging(open(&address(&node))).await;
    assert_says(&log, &["WARN", "can't be used yet", "no node answers", &address(&node)]);
    let redis = opened.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(500), created(&redis, 1)).await;
    assert!(waiting.is_err(), "nobody is there");
    node.restart().await;
    assert!(wait::within(wait::START, "the node serves", created(&redis, 2)).await);
}

#[tokio::test]
async fn a_password_and_a_right_that_are_missing_are_named() {
    let node = single().await;
    run(&node, &rights().replace("shop:User:", "tests:User:")).await;
    let nodes = |password: &str| format!("redis://shop:{password}@{}", address(&node));
    let refused = open(&nodes("wrong-password")).await;
    assert_refused(refused, "cluster", &["check the `cluster`'s user and password", "WRONGPASS", &address(&node)]);
    assert_refused(open(&nodes("hunter2")).await, "cluster", &["`+cluster|slots +cluster|info +asking`", "NOPERM"]);
    run(&node, "ACL SETUSER shop +cluster|slots +cluster|info").await;
    assert_refused(open(&nodes("hunter2")).await, "cluster", &["give it `+asking`", "NOPERM", &address(&node)]);
    run(&node, "ACL SETUSER shop +asking").await;
    assert!(created(&open(&nodes("hunter2")).await.unwrap(), 1).await);
    assert!(open(&address(&node)).await.is_ok(), "the default user has all rights");
}

#[tokio::test]
async fn arguments_that_do_not_belong_together_are_refused() {
    let url = FromSetting::from_setting("redis://127.0.0.1").unwrap();
    let opened = open_with("127.0.0.1:1", |config| config.url = Some(url)).await;
    assert_refused(opened, "url", &["`cluster` says where the nodes are"]);
    let opened = open_with("127.0.0.1:1", |config| {
        config.sentinel = Some(FromSetting::from_setting("127.0.0.1:1").unwrap());
        config.master = Some(FromSetting::from_setting("main").unwrap());
    });
    assert_refused(opened.await, "cluster", &["can't be used with `sentinel`"]);
    let opened = open_with("127.0.0.1:1", |config| config.prefix = Some("{shop}:".to_owned())).await;
    assert_refused(opened, "prefix", &["has a `{`", "one slot"]);
    let opened = open_with("127.0.0.1:1", |config| config.near_cache = Some(Duration::from_secs(1))).await;
    assert_refused(opened, "near_cache", &["can't be used with `cluster`"]);
    let opened = open_with("127.0.0.1:1", |config| config.wait_replicas = Some(1)).await;
    assert_refused(opened, "wait_replicas", &["can't be used with `cluster`"]);
}

/// In a slot that moves, what is there stays in use, what is new begins on the other side, and a lease is taken whole or
/// not at all.
#[tokio::test]
async fn a_lease_in_a_slot_that_moves_is_taken_when_its_session_is_on_one_side_with_it() {
    let cluster = Cluster::start_masters().await;
    let redis = open(&cluster.addresses()).await.unwrap();
    let key = RecordKey::from_bytes([7; 32]);
    assert!(redis.create(&key, record(1, "x"), touch()).await.unwrap());
    let [(from, name)] = &cluster.keys("tests:").await[..] else { panic!("one session is stored") };
    let (from, to, slot) = (*from, (from + 1) % 3, cluster.slot(name).await);
    let loaded = async || redis.load(&key, touch()).await.unwrap().is_some();
    let refused = async |when: &str| {
        let taken = redis.acquire(&key, lease(Holder::new()), touch());
        assert!(tokio::time::timeout(Duration::from_millis(300), taken).await.is_err(), "{when}");
        assert_eq!(cluster.keys("tests:").await.len(), 1, "{when}: no lease is left");
    };

    cluster.begin_migration(slot, from, to).await;
    assert!(loaded().await, "it is where it was");
    refused("its lease would begin on the other side").await;
    assert!(cluster.migrate_a_key(slot, from, to).await);
    assert!(loaded().await, "it has moved");
    refused("the slot is still shared").await;
    assert!(
        redis.delete(&RecordKey::from_bytes([8; 32])).await.is_ok_and(|found| !found),
        "another slot is not touched"
    );
    cluster.end_migration(slot, from, to).await;
    let taken = wait::within(wait::ANSWER, "the lease", redis.acquire(&key, lease(Holder::new()), touch())).await;
    assert!(matches!(taken, Ok(Acquired::Granted(_))), "it is taken");
    let keys = cluster.keys("tests:").await;
    assert_eq!(keys.iter().map(|(node, _)| *node).collect::<Vec<_>>(), [to, to], "the record and its lease");
}

#[tokio::test]
async fn a_session_that_begins_in_a_slot_that_moves_begins_on_the_other_side() {
    let cluster = Cluster::start_masters().await;
    let redis = open(&cluster.addresses()).await.unwrap();
    assert!(created(&redis, 7).await);
    let [(from, name)] = &cluster.keys("tests:").await[..] else { panic!("one session is stored") };
    let (from, to, slot) = (*from, (from + 1) % 3, cluster.slot(name).await);
    assert!(redis.delete(&RecordKey::from_bytes([7; 32])).await.unwrap());
    cluster.begin_migration(slot, from, to).await;
    assert!(created(&redis, 7).await);
    assert!(redis.load(&RecordKey::from_bytes([7; 32]), touch()).await.unwrap().is_some());
    let keys = cluster.keys("tests:").await;
    assert_eq!(keys.iter().map(|(node, _)| *node).collect::<Vec<_>>(), [to]);
}

#[tokio::test]
async fn a_watch_hears_the_end_after_the_node_that_it_listened_on_has_died() {
    let mut cluster = Cluster::start().await;
    let one = Arc::new(open(&cluster.addresses()).await.unwrap());
    let other = open(&cluster.addresses()).await.unwrap();
    let key = RecordKey::from_bytes([7; 32]);
    assert!(one.create(&key, record(1, "x"), touch()).await.unwrap());
    cluster.replicated().await;
    let watch = one.watch(&key).await.unwrap();
    let listened = subscribed(&cluster).await;
    let [node] = listened[..] else { panic!("one node has the subscription: {listened:?}") };
    cluster.nodes[node].kill();
    // What was missed is not known, so whoever listens is told to look.
    wait::within(wait::START, "the watch is told of the loss", watch).await;
    let _listener = one.watch(&key).await.unwrap();
    let elsewhere = async || subscribed(&cluster).await.iter().any(|other| *other != node);
    wait::until(wait::START, "another node has the subscription", elsewhere).await;
    // Until the replica has taken over, some other slots are served by nobody, and by default none is.
    let alive =
        async || matches!(wait::within(wait::START, "it is served", one.load(&key, touch())).await, Ok(Some(_)));
    wait::until(wait::START, "the session is served", alive).await;
    let watch = one.watch(&key).await.unwrap();
    assert!(wait::within(wait::START, "it is deleted", other.delete(&key)).await.unwrap());
    wait::within(wait::ANSWER, "the watch hears the end", watch).await;
}

/// A node that has left the cluster goes on to answer, and hears nothing.
#[tokio::test]
async fn a_watch_hears_the_end_after_the_node_that_it_listened_on_has_left_the_cluster() {
    let cluster = Cluster::start().await;
    let one = Arc::new(open(&cluster.addresses()).await.unwrap());
    let other = open(&cluster.addresses()).await.unwrap();
    let key = RecordKey::from_bytes([7; 32]);
    assert!(one.create(&key, record(1, "x"), touch()).await.unwrap());
    let _listener = one.watch(&key).await.unwrap();
    let listened = subscribed(&cluster).await;
    let [node] = listened[..] else { panic!("one node has the subscription: {listened:?}") };
    cluster.replicated().await;
    // Its slots go to its replica first, if it has any.
    let replica = cluster.nodes.get(node + 3).filter(|_| node < 3);
    if let Some(replica) = replica {
        run(replica, "CLUSTER FAILOVER").await;
        cluster.promoted(node).await;
        let is_replica = async || replicates(&cluster.nodes[node]).await;
        wait::until(wait::START, "it has no slots any more", is_replica).await;
    }
    run(&cluster.nodes[node], "CLUSTER RESET HARD").await;
    let elsewhere = async || subscribed(&cluster).await.iter().any(|other| *other != node);
    wait::until(wait::START, "another node has the subscription", elsewhere).await;
    let watch = one.watch(&key).await.unwrap();
    assert!(wait::within(wait::START, "it is deleted", other.delete(&key)).await.unwrap());
    wait::within(wait::ANSWER, "the watch hears the end", watch).await;
}

async fn replicates(node: &Server) -> bool {
    let Ok(mut connection) = node.try_connect().await else { return false };
    let info: redis::RedisResult<String> = cmd("INFO").arg("replication").query_async(&mut connection).await;
    info.is_ok_and(|info| info.contains("role:slave"))
}

#[tokio::test]
async fn the_nodes_may_be_reached_over_tls() {
    let (authority, bus) = (Authority::new(), Port::reserve());
    // Without the last one Redis 7 tells its clients the port without TLS.
    let arguments = ["--cluster-enabled", "yes", "--cluster-port", &bus.number().to_string(), "--tls-cluster", "yes"];
    let node = Server::start_tls(&authority.sign(&["127.0.0.1"]), &authority, &arguments).await;
    run(&node, "CLUSTER ADDSLOTSRANGE 0 16383").await;
    let nodes = format!("rediss://127.0.0.1:{}", node.tls_port());
    assert_refused(open(&nodes).await, "cluster", &["by `ca`", "UnknownIssuer"]);
    let trusting = |config: &mut RedisConfig| config.ca = Some(FromSetting::from_setting(authority.pem()).unwrap());
    let redis = open_with(&nodes, trusting).await.unwrap();
    assert!(wait::within(wait::START, "the node serves", created(&redis, 1)).await);
    assert_refused(open(&format!("rediss://127.0.0.1:{}", node.port())).await, "cluster", &["a port without TLS"]);
}

/// The nodes that have a subscription.
async fn subscribed(cluster: &Cluster) -> Vec<usize> {
    let mut nodes = Vec::new();
    for (index, node) in cluster.nodes.iter().enumerate() {
        let Ok(mut connection) = node.try_connect().await else { continue };
        let mut count = cmd("PUBSUB");
        count.arg("NUMSUB").arg("tests:User:freed");
        let (_, count): (String, usize) = count.query_async(&mut connection).await.unwrap();
        if count > 0 {
            nodes.push(index);
        }
    }
    nodes
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = redis(cluster = ["127.0.0.1:1", "redis://127.0.0.1:2"]), key = env("CLUSTER_TESTS_KEY"))]
struct Declared {
    name: String,
}

/// Nobody is there, which is waited for.
#[tokio::test]
async fn an_attribute_names_several() {
    assert!(Sessions::<Declared>::builder().ephemeral_key().open().await.is_ok());
}
