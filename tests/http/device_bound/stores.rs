//! The same on the other stores, over two processes: a session is bound, proved, refused to a thief, and ended.

use std::time::Duration;

use axum::http::Method;
use serde_json::Value;
use session_runtime::{
    Builder, Sessions,
    backend::{Backend, File, MySql, Postgres, Redis, Sqlite},
};
use session_tests::{Device, MariaDb, Postgres as PostgresServer, Redis as RedisServer, device::challenge, wait};

use super::{Account, DEVICE, PATH, SECOND, assert_refused, site_on};
use crate::support::{assert_problem, key};

async fn a_session_is_bound_proved_refused_and_ended<B: Backend>(backend: impl AsyncFn() -> B) {
    let builder = async || -> Builder<Account> { Sessions::builder().key(&key('k')).backend(backend().await) };
    let site = site_on(builder).await;
    // Whoever keeps sessions near knows it as one that is not bound.
    for client in [site.client.clone(), site.elsewhere()] {
        assert_eq!(client.get("/me").await.text(), "ann");
    }
    let reply = site.device.register(&site.elsewhere(), &site.offer).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let next = challenge(&reply.headers).unwrap();
    let session = reply.json::<Value>()["session_identifier"].as_str().unwrap().to_owned();
    assert_refused(&Device::new(2).register(&site.client, &site.offer).await, 409, "device-proof");

    site.clock.advance(31 * SECOND);
    for server in [&site.server, &site.other] {
        let refused = async || site.stolen_at(server, Method::GET, "/me").await.status == 401;
        wait::until(wait::ANSWER, "each process refuses the stolen cookie", refused).await;
        assert_problem(&site.stolen_at(server, Method::POST, "/visit").await, 401, "device-unproven");
    }
    assert_eq!(site.client.post("/visit").await.text(), "1");

    let refreshed = site.device.refresh(&site.client, PATH, &session, &next).await;
    assert_eq!(refreshed.status, 204, "{}", refreshed.text());
    assert!(refreshed.set_cookies()[0].starts_with(&format!("{DEVICE}=")));
    assert_eq!(site.elsewhere().post("/visit").await.text(), "2", "a refresh keeps the data");
    assert_eq!(site.client.post("/rotate").await.status, 200);
    assert_eq!(site.elsewhere().post("/visit").await.text(), "3");

    assert_eq!(site.elsewhere().post("/logout").await.status, 200);
    let ended = site.device.refresh(&site.client, PATH, &session, &next).await;
    assert_eq!((ended.status.as_u16(), &ended.json::<Value>()["continue"]), (200, &Value::Bool(false)));
}

#[tokio::test]
async fn on_files() {
    let folder = tempfile::tempdir().unwrap();
    a_session_is_bound_proved_refused_and_ended(async || File::new(folder.path()).unwrap()).await;
}

#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    a_session_is_bound_proved_refused_and_ended(async || Sqlite::new(&path, "sessions").await.unwrap()).await;
}

#[tokio::test]
async fn on_postgres() {
    let server = PostgresServer::start().await;
    let open = async || Postgres::new(&server.url(), "sessions").unwrap();
    a_session_is_bound_proved_refused_and_ended(open).await;
}

#[tokio::test]
async fn on_mariadb() {
    let server = MariaDb::start().await;
    a_session_is_bound_proved_refused_and_ended(async || MySql::new(&server.url(), "sessions").unwrap()).await;
}

#[tokio::test]
async fn on_redis_with_a_near_cache() {
    let server = RedisServer::start().await;
    let near = || Redis::new(&server.url(), "test:").unwrap().near_cache(Duration::from_secs(600));
    a_session_is_bound_proved_refused_and_ended(async || near()).await;
}
