//! Redis by way of its Sentinels: the sessions live there as anywhere, and what is wrong is told at start-up.

use std::sync::Arc;

use redis::{AsyncTypedCommands, cmd};
use serde::{Deserialize, Serialize};
use session_runtime::{
    FromSetting, OpenError, SessionData, Sessions,
    backend::{Backend, OpenBackend, RecordKey, Redis, RedisConfig, Scope},
    testing::conformance,
};
use session_tests::{Redis as Server, certificates::Authority};

use crate::{
    sql::{record, touch},
    store::{Store, pair},
};

conformance! { redis_by_its_sentinels_conforms: Backend + Leases + KeepLease + CompareAndSet + Watch + List => pair(store().await).real_time() }

/// Two connections to one server, and the Sentinel that leads there.
pub(crate) async fn store() -> (Store<Redis>, (Server, Server)) {
    let (server, sentinel) = watched().await;
    let [one, other] = [open(&address(&sentinel), "main").await, open(&address(&sentinel), "main").await];
    (Store { one: Arc::new(one.unwrap()), other: Arc::new(other.unwrap()) }, (server, sentinel))
}

async fn watched() -> (Server, Server) {
    let server = Server::start().await;
    let sentinel = Server::start_sentinel(server.port()).await;
    (server, sentinel)
}

fn address(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port())
}

async fn open(sentinels: &str, master: &str) -> Result<Redis, OpenError> {
    open_with(sentinels, master, |_| {}).await
}

async fn open_with(sentinels: &str, master: &str, change: impl FnOnce(&mut RedisConfig)) -> Result<Redis, OpenError> {
    let mut config = RedisConfig::default();
    config.sentinel = Some(FromSetting::from_setting(sentinels).unwrap());
    config.master = Some(FromSetting::from_setting(master).unwrap());
    change(&mut config);
    Redis::open(config, &Scope::new("tests", "User")).await
}

#[track_caller]
fn assert_refused(opened: Result<Redis, OpenError>, argument: &str, words: &[&str]) {
    let text = opened.unwrap_err().to_string();
    assert!(text.contains(&format!("`backend = redis({argument})`")) && !text.contains("hunter2"), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

async fn created(redis: &Redis, number: u8) -> bool {
    redis.create(&RecordKey::from_bytes([number; 32]), record(1, "x"), touch()).await.unwrap()
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_refused() {
    let (_server, sentinel) = watched().await;
    let words = ["do not know this `master`", "knows no master of the name \"nobody\"", &address(&sentinel)];
    assert_refused(open(&address(&sentinel), "nobody").await, "sentinel", &words);
    // Another that is down could know no other name.
    assert_refused(open(&format!("127.0.0.1:1,{}", address(&sentinel)), "nobody").await, "sentinel", &words);
}

#[tokio::test]
async fn a_server_that_is_no_sentinel_is_refused() {
    let server = Server::start().await;
    assert_refused(open(&address(&server), "main").await, "sentinel", &["names a server that is no Sentinel"]);
}

#[tokio::test]
async fn one_sentinel_that_knows_the_master_is_enough() {
    let (_server, sentinel) = watched().await;
    let mut hung = Server::start_sentinel(1).await;
    hung.stop();
    let ignorant = Server::start_sentinel(1).await;
    let mut remove = cmd("SENTINEL");
    remove.arg("REMOVE").arg("main");
    remove.exec_async(&mut ignorant.connect().await).await.unwrap();
    let all = format!("127.0.0.1:1,{},{},{}", address(&hung), address(&ignorant), address(&sentinel));
    assert!(created(&open(&all, "main").await.unwrap(), 1).await);
}

#[tokio::test]
async fn sentinels_that_are_down_are_waited_for_and_are_needed_for_a_new_connection_alone() {
    let (mut server, mut sentinel) = watched().await;
    sentinel.kill();
    let redis = open(&address(&sentinel), "main").await.unwrap();
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(300), created(&redis, 1)).await;
    assert!(waiting.is_err(), "nobody says where the master is");
    sentinel.restart().await;
    assert!(created(&redis, 2).await);
    sentinel.kill();
    assert!(created(&redis, 3).await, "a connection holds without them");
    server.kill();
    assert!(open(&address(&sentinel), "main").await.is_ok(), "all are down");
}

#[tokio::test]
async fn a_sentinel_and_its_master_may_have_passwords_and_the_master_a_database() {
    let (server, sentinel) = watched().await;
    let mut inside = server.connect().await;
    for (server, password) in [(&server, "open-sesame"), (&sentinel, "watchword")] {
        let mut user = cmd("ACL");
        user.arg("SETUSER").arg("default").arg("resetpass").arg(format!(">{password}"));
        user.exec_async(&mut server.connect().await).await.unwrap();
    }
    let refused = open(&address(&sentinel), "main").await;
    assert_refused(refused, "sentinel", &["was refused by a Sentinel; check the user and the password", "NOAUTH"]);
    let refused = open(&format!("redis://:hunter2@{}", address(&sentinel)), "main").await;
    assert_refused(refused, "sentinel", &["was refused by a Sentinel", "WRONGPASS"]);
    let sentinel = format!("redis://:watchword@{}", address(&sentinel));
    assert_refused(open(&sentinel, "main").await, "sentinel", &["check the `master`'s user and password", "NOAUTH"]);
    let refused = open(&sentinel, "redis://:hunter2@main").await;
    assert_refused(refused, "sentinel", &["check the `master`'s user and password", "WRONGPASS"]);
    assert!(created(&open(&sentinel, "redis://:open-sesame@main/3").await.unwrap(), 1).await);
    cmd("SELECT").arg(3).exec_async(&mut inside).await.unwrap();
    assert_eq!(inside.keys("tests:User:*").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_master_may_be_reached_over_tls() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.sign(&["127.0.0.1"]), &authority, &[]).await;
    let sentinel = Server::start_sentinel(server.tls_port()).await;
    let refused = open(&address(&sentinel), "rediss://main").await;
    assert_refused(refused, "sentinel", &["by `ca`", "UnknownIssuer"]);
    let trusting = |config: &mut RedisConfig| config.ca = Some(FromSetting::from_setting(authority.pem()).unwrap());
    assert!(created(&open_with(&address(&sentinel), "rediss://main", trusting).await.unwrap(), 1).await);
}

#[tokio::test]
async fn arguments_that_do_not_belong_together_are_refused() {
    let opened = open_with("127.0.0.1:1", "main", |config| config.master = None).await;
    assert_refused(opened, "master", &["is missing"]);
    let opened = open_with("127.0.0.1:1", "main", |config| config.sentinel = None).await;
    assert_refused(opened, "sentinel", &["is missing"]);
    let url = FromSetting::from_setting("redis://127.0.0.1").unwrap();
    let opened = open_with("127.0.0.1:1", "main", |config| config.url = Some(url)).await;
    assert_refused(opened, "url", &["Sentinels tell the address"]);
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = redis(sentinel = ["127.0.0.1:1", "127.0.0.1:2"], master = "main"),
    key = env("SENTINEL_TESTS_KEY")
)]
struct Declared {
    name: String,
}

/// Nobody is there, which is waited for.
#[tokio::test]
async fn an_attribute_names_several() {
    assert!(Sessions::<Declared>::builder().ephemeral_key().open().await.is_ok());
}
