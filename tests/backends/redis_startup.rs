//! What is wrong with a Redis is told when the application starts, with the server's own words and the remedy.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::{Router, routing::get};
use redis::cmd;
use session_runtime::{
    FromSetting,
    backend::{OpenBackend, Redis, RedisConfig, Scope},
};
use session_tests::{Redis as Server, certificates::Authority, serve};

const PREFIX: &str = "shop:User:";
const GUIDE: &str = include_str!("../../session-runtime/docs/redis.md");

/// What is said of a Redis that is refused.
async fn refusal(url: &str) -> String {
    refusal_of(Redis::new(url, PREFIX).unwrap()).await
}

pub(crate) async fn refusal_of(redis: Redis) -> String {
    let error = redis.check().await.unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
    assert!(error.starts_with("the sessions can't be opened: `backend = redis(url)`: "), "{error}");
    error
}

#[track_caller]
pub(crate) fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

/// Whether the Redis at this URL is taken, and what is logged of it.
async fn logged(url: &str) -> String {
    logged_of(Redis::new(url, PREFIX).unwrap()).await
}

pub(crate) async fn logged_of(redis: Redis) -> String {
    let (checked, log) = logging(redis.check()).await;
    checked.unwrap();
    log
}

/// What a future gives, and what is logged meanwhile on this thread.
pub(crate) async fn logging<F: Future>(future: F) -> (F::Output, String) {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let output = future.await;
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (output, log)
}

/// The URL with this user information.
pub(crate) fn with(server: &Server, user: &str) -> String {
    server.url().replace("redis://", &format!("redis://{user}@"))
}

pub(crate) async fn run(server: &Server, command: &str) {
    let mut words = command.split_whitespace();
    let mut run = cmd(words.next().unwrap());
    words.for_each(|word| _ = run.arg(word));
    run.query_async::<()>(&mut server.connect().await).await.unwrap_or_else(|error| panic!("{command}: {error}"));
}

async fn with_a_password() -> Server {
    let server = Server::start().await;
    run(&server, "CONFIG SET requirepass open-sesame").await;
    server
}

/// The command in the guide that makes a user with the rights that are needed, whose password is hunter2.
pub(crate) fn rights() -> String {
    let line = GUIDE.lines().find(|line| line.starts_with("ACL SETUSER")).expect("the page names the rights");
    line.replace("PASSWORD", "hunter2")
}

#[tokio::test]
async fn a_redis_as_it_comes_is_taken_without_a_word_and_nothing_stays_in_it() {
    let server = Server::start().await;
    assert_eq!(logged(&server.url()).await, "");
    let left: u32 = cmd("DBSIZE").query_async(&mut server.connect().await).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_password_that_is_wrong_or_missing_is_refused_in_the_servers_words() {
    let server = with_a_password().await;
    for user in [":hunter2", "nobody:hunter2"] {
        let text = refusal(&with(&server, user)).await;
        assert_says(&text, &["was refused by Redis; check the URL's user and password", "WRONGPASS"]);
    }
    assert_says(&refusal(&server.url()).await, &["check the URL's user and password", "NOAUTH"]);
    assert_eq!(logged(&with(&server, ":open-sesame")).await, "");
}

#[tokio::test]
async fn what_the_attribute_names_is_checked_when_it_is_opened() {
    let server = with_a_password().await;
    let mut config = RedisConfig::default();
    config.url = Some(FromSetting::from_setting(&server.url()).unwrap());
    let error = Redis::open(config, &Scope::new("shop", "User")).await.unwrap_err().to_string();
    assert_says(&error, &["`backend = redis(url)`", "NOAUTH"]);
}

#[tokio::test]
async fn a_database_number_that_is_out_of_range_is_refused() {
    let server = Server::start().await;
    let text = refusal(&format!("{}99", server.url())).await;
    assert_says(&text, &["check the number of the database", "out of range"]);
    assert_eq!(logged(&format!("{}3", server.url())).await, "");
}

#[tokio::test]
async fn a_port_for_tls_is_told_from_a_proxy_with_nobody_behind_it() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.sign(&["localhost"]), &authority, &[]).await;
    assert_says(&refusal(&format!("redis://127.0.0.1:{}/", server.tls_port())).await, &["expects TLS", "rediss://"]);
    let gone = session_tests::Gate::to(1).await;
    assert_says(&logged(&gone.url()).await, &["WARN", "can't be used yet"]);
}

#[tokio::test]
async fn what_is_no_redis_is_refused() {
    let served = serve(Router::new().route("/", get(async || "hello"))).await;
    let text = refusal(&served.url().replace("http://", "redis://")).await;
    assert_says(&text, &["does not speak the protocol of Redis"]);
}

#[tokio::test]
async fn a_replica_a_cluster_node_and_a_sentinel_are_refused() {
    let master = Server::start().await;
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()]).await;
    assert_says(&refusal(&replica.url()).await, &["names a replica", "name the master", "role: replica"]);

    let node = Server::start_cluster_node().await;
    assert_says(&refusal(&node.url()).await, &["names a node of a cluster", "write `cluster`", "mode: cluster"]);

    let sentinel = Server::start_sentinel(master.port()).await;
    assert_says(&refusal(&sentinel.url()).await, &["names a Sentinel", "mode: sentinel"]);
}

#[tokio::test]
async fn a_server_that_lacks_a_command_is_refused() {
    for (command, words) in [
        ("HELLO", &["without RESP3", "Redis 6.2 or later"][..]),
        ("GETEX", &["refuses what sessions need", "unknown command", "GETEX"]),
        ("EVALSHA", &["refuses what sessions need", "unknown command", "EVALSHA"]),
        ("SUBSCRIBE", &["refuses what sessions need", "unknown command", "SUBSCRIBE"]),
    ] {
        let server = Server::start_with(&["--rename-command", command, ""]).await;
        assert_says(&refusal(&server.url()).await, words);
    }
}

#[tokio::test]
async fn what_a_server_repeats_of_a_command_that_it_lacks_is_not_told() {
    let server = Server::start_with(&["--rename-command", "HELLO", ""]).await;
    let text = refusal(&with(&server, "shop:hunter2")).await;
    assert_says(&text, &["without RESP3"]);
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_missing_right_is_named_as_it_is_given() {
    let server = Server::start().await;
    let rights = rights();
    run(&server, &rights).await;
    assert_eq!(logged(&with(&server, "shop:hunter2")).await, "", "what the guide grants is enough");
    let all: Vec<&str> = rights.split(' ').collect();
    let given: Vec<&str> = all.iter().copied().filter(|word| word.starts_with(['~', '&', '+'])).collect();
    assert!(given.len() > 15, "{given:?}");
    for missing in &given {
        let rest: Vec<&str> = all.iter().copied().filter(|right| right != missing).collect();
        run(&server, "ACL DELUSER shop").await;
        run(&server, &rest.join(" ")).await;
        let text = refusal(&with(&server, "shop:hunter2")).await;
        assert_says(&text, &[&format!("names a user who lacks rights; give it `{missing}`"), "NOPERM"]);
    }
    run(&server, &format!("{rights} -getex -publish")).await;
    assert_says(&refusal(&with(&server, "shop:hunter2")).await, &["give it `+getex +publish`"]);
}

#[tokio::test]
async fn a_policy_that_evicts_is_warned_of() {
    for policy in ["allkeys-lru", "volatile-lru", "volatile-ttl"] {
        let server = Server::start_with(&["--maxmemory-policy", policy]).await;
        assert_says(&logged(&server.url()).await, &["WARN", policy, "noeviction"]);
        // CONFIG may be asked as well, where INFO may not.
        run(&server, &format!("{} +config|get", rights())).await;
        assert_says(&logged(&with(&server, "shop:hunter2")).await, &["WARN", policy]);
    }
}

#[tokio::test]
async fn what_waiting_mends_is_logged_and_the_application_starts() {
    let mut server = Server::start().await;
    run(&server, "CONFIG SET maxmemory 1").await;
    assert_says(&logged(&server.url()).await, &["WARN", "can't be used yet", "OOM"]);
    run(&server, "CONFIG SET maxmemory 0").await;
    server.stop();
    assert_says(&logged(&server.url()).await, &["WARN", "can't be used yet"]);
    server.kill();
    assert_says(&logged(&server.url()).await, &["WARN", "can't be used yet", "refused"]);
}
