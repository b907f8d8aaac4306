//! The Redis server that the tests start does what they rely on.

use redis::AsyncTypedCommands;
use session_tests::Redis;

#[tokio::test]
async fn two_servers_share_nothing() {
    let (one, other) = (Redis::start().await, Redis::start().await);
    one.connect().await.set("key", "value").await.unwrap();
    assert_eq!(one.connect().await.get("key").await.unwrap().as_deref(), Some("value"));
    assert_eq!(other.connect().await.get("key").await.unwrap(), None);
}

#[tokio::test]
async fn a_restarted_server_is_empty_unless_it_is_durable() {
    for (mut redis, expected) in [(Redis::start().await, None), (Redis::start_durable().await, Some("value"))] {
        redis.connect().await.set("key", "value").await.unwrap();
        let url = redis.url();
        redis.restart().await;
        assert_eq!(redis.url(), url);
        assert_eq!(redis.connect().await.get("key").await.unwrap().as_deref(), expected);
    }
}

#[tokio::test]
async fn commands_are_counted_by_name() {
    let redis = Redis::start().await;
    let mut connection = redis.connect().await;
    let before = redis.commands().await;
    connection.set("key", "value").await.unwrap();
    connection.get("key").await.unwrap();
    connection.get("key").await.unwrap();
    let during = redis.commands().await.since(&before);
    assert_eq!((during.of("set"), during.of("get"), during.of("del")), (1, 2, 0), "{during:?}");
}

#[tokio::test]
async fn a_recording_has_what_clients_sent_and_not_what_scripts_called() {
    let redis = Redis::start().await;
    let mut connection = redis.connect().await;
    let recording = redis.record().await;
    connection.set("key", "value").await.unwrap();
    let value: String = redis::cmd("EVAL")
        .arg("return redis.call('GET', KEYS[1])")
        .arg(1)
        .arg("key")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(value, "value");
    let commands = recording.finish().await;
    let expected = [r#""SET" "key" "value""#, r#""EVAL" "return redis.call('GET', KEYS[1])" "1" "key""#];
    assert_eq!(commands, expected);
}
