//! Redis by a client that the application has made for itself.

use std::sync::Arc;

use redis::{AsyncTypedCommands, Client, RedisConnectionInfo, cmd};
use session_runtime::{
    backend::{Backend, RecordKey, Redis},
    testing::{Pair, conformance},
};
use session_tests::{Redis as Server, wait};

use crate::sql::{record, touch};

const PREFIX: &str = "shop:User:";

conformance! { redis_by_the_applications_client_conforms: Backend + Leases + KeepLease + CompareAndSet + Watch + List => pair().await.real_time() }

async fn pair() -> Pair {
    let server = Server::start().await;
    let client = Client::open(server.url()).unwrap();
    let one = Redis::from_client(&client, PREFIX).await.unwrap();
    let other = Redis::from_client(&client, PREFIX).await.unwrap();
    Pair::new(Arc::new(one), Arc::new(other)).keeping(server)
}

/// A client for this server, with a user and a database of its own.
fn client(server: &Server, settings: impl FnOnce(RedisConnectionInfo) -> RedisConnectionInfo) -> Client {
    let info = Client::open(server.url()).unwrap().get_connection_info().clone();
    let redis = settings(info.redis_settings().clone());
    Client::open(info.set_redis_settings(redis)).unwrap()
}

#[tokio::test]
async fn sessions_live_where_the_client_leads_and_its_other_connections_stay_as_they_are() {
    let server = Server::start().await;
    let mut user = cmd("ACL");
    "SETUSER shop on >hunter2 ~* &* +@all".split(' ').for_each(|word| _ = user.arg(word));
    user.exec_async(&mut server.connect().await).await.unwrap();
    let client = client(&server, |redis| redis.set_username("shop").set_password("hunter2").set_db(3));
    // By the protocol of before, RESP2, as a client has it that says nothing else.
    let mut own = client.get_multiplexed_async_connection().await.unwrap();
    let sessions = Redis::from_client(&client, PREFIX).await.unwrap();
    let key = RecordKey::from_bytes([1; 32]);
    assert!(sessions.create(&key, record(1, "x"), touch()).await.unwrap());
    assert_eq!(own.keys("shop:User:*").await.unwrap().len(), 1, "in database 3");
    let clients: String = cmd("CLIENT").arg("LIST").query_async(&mut own).await.unwrap();
    let as_shop = clients.lines().filter(|line| line.contains(" user=shop ")).collect::<Vec<_>>();
    let speaking = |protocol: &str| as_shop.iter().filter(|line| line.contains(protocol)).count();
    // Redis 7.0 and later tell the protocol.
    assert!(!clients.contains(" resp=") || speaking(" resp=2") == 1 && speaking(" resp=3") >= 1, "{clients}");
}

#[tokio::test]
async fn its_connection_is_replaced_when_the_server_comes_back() {
    let mut server = Server::start_durable().await;
    let sessions = Redis::from_client(&Client::open(server.url()).unwrap(), PREFIX).await.unwrap();
    let key = RecordKey::from_bytes([1; 32]);
    assert!(sessions.create(&key, record(1, "x"), touch()).await.unwrap());
    server.restart().await;
    let found = wait::within(wait::ANSWER, "it is found", sessions.load(&key, touch())).await.unwrap();
    assert!(found.is_some());
}

#[tokio::test]
async fn what_is_wrong_with_it_is_told_as_the_clients() {
    let server = Server::start().await;
    let mut password = cmd("CONFIG");
    password.arg("SET").arg("requirepass").arg("open-sesame");
    password.exec_async(&mut server.connect().await).await.unwrap();
    let refused = Redis::from_client(&client(&server, |redis| redis.set_password("hunter2")), PREFIX).await;
    let text = refused.unwrap_err().to_string();
    assert!(
        text.contains("`backend = redis(client)`: was refused by Redis; check the client's user and password"),
        "{text}"
    );
    assert!(text.contains("WRONGPASS") && !text.contains("hunter2"), "{text}");
    assert!(Redis::from_client(&client(&server, |redis| redis.set_password("open-sesame")), PREFIX).await.is_ok());
}

#[tokio::test]
async fn a_server_that_is_down_is_waited_for() {
    let mut server = Server::start().await;
    let client = Client::open(server.url()).unwrap();
    server.kill();
    let sessions = Redis::from_client(&client, PREFIX).await.unwrap();
    server.restart().await;
    assert!(sessions.create(&RecordKey::from_bytes([1; 32]), record(1, "x"), touch()).await.unwrap());
}
