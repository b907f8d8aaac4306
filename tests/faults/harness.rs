//! Servers that the tests start can be hung, killed and restarted, and none is left behind.

use std::{
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    process::{Command, Stdio},
    time::Duration,
};

use axum::http::Method;
use redis::cmd;
use session_tests::{
    App, Redis,
    app::{Program, describe},
    wait,
};
use tokio::net::TcpStream;

fn greeter() -> Program {
    App::program(env!("CARGO_BIN_EXE_greeter"))
}

#[tokio::test]
async fn a_hung_redis_keeps_its_connections_and_answers_when_it_goes_on() {
    let mut redis = Redis::start().await;
    let mut connection = redis.connect().await;
    redis.stop();
    let mut other = connection.clone();
    let ping = tokio::spawn(async move { cmd("PING").query_async::<String>(&mut other).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!ping.is_finished(), "a hung server doesn't answer");
    redis.resume();
    assert_eq!(wait::within(wait::ANSWER, "PING", ping).await.unwrap().unwrap(), "PONG");
    assert_eq!(cmd("PING").query_async::<String>(&mut connection).await.unwrap(), "PONG");
}

#[tokio::test]
async fn a_killed_redis_refuses_connections_until_it_is_restarted() {
    let mut redis = Redis::start().await;
    redis.kill();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port())).await.is_err());
    redis.restart().await;
    assert_eq!(cmd("PING").query_async::<String>(&mut redis.connect().await).await.unwrap(), "PONG");
}

#[tokio::test]
async fn a_hung_application_answers_when_it_goes_on() {
    let mut app = greeter().env("GREETING", "hello").start().await;
    let client = app.client();
    assert_eq!(client.get("/").await.text(), "hello");
    app.stop();
    let hung = client.try_send(Method::GET, "/", |request| request.timeout(Duration::from_millis(200))).await;
    assert!(hung.unwrap_err().is_timeout());
    app.resume();
    assert_eq!(client.get("/").await.text(), "hello");
}

#[tokio::test]
async fn a_killed_application_comes_back_on_its_port_as_another_process() {
    let mut app = greeter().env("GREETING", "hello").start().await;
    let client = app.client();
    assert_eq!(client.get("/process").await.text(), app.id().to_string());
    app.kill();
    assert!(client.try_send(Method::GET, "/", |request| request).await.is_err());
    app.restart().await;
    assert_eq!(client.get("/process").await.text(), app.id().to_string());
    assert_eq!(app.log().matches("greets on port").count(), 2, "{}", app.log());
}

#[tokio::test]
async fn an_application_that_refuses_to_start_tells_why() {
    let output = greeter().env("PORT", "1").run().await;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("GREETING"), "{}", describe(&output));
}

#[tokio::test]
async fn a_server_ends_with_the_value_that_started_it() {
    let app = greeter().env("GREETING", "hello").start().await;
    let address = app.address();
    drop(app);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_server_ends_with_the_test_process_even_when_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut orphan = Command::new(env!("CARGO_BIN_EXE_orphan"));
    let mut orphan = orphan.env("TMPDIR", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(orphan.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port: u16 = line.trim().parse().unwrap();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok());

    orphan.kill().unwrap();
    orphan.wait().unwrap();
    let gone = async || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err();
    wait::until(wait::ANSWER, "the server is gone", gone).await;
}
