//! The connections of the SQL backends: how many, how they are shared, and what happens when there are no more.

use std::{sync::Arc, time::Duration};

use session_runtime::{
    FromSetting,
    backend::{Backend, MySql, MySqlConfig, OpenBackend, Postgres, PostgresConfig, Scope, Sqlite},
    testing::{Pair, conformance},
};
use session_tests::{MariaDb, Postgres as PostgresServer, wait};
use sqlx::Executor;
use tokio::{task::JoinSet, time::timeout};

use crate::sql::{Database, KEY, SqliteFile, touch};

const SCOPE: Scope = Scope::new("tests", "User");

conformance! { postgres_on_the_applications_pool_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => postgres_pool().await }

async fn postgres_pool() -> Pair {
    let server = PostgresServer::start().await;
    let pool = sqlx::PgPool::connect(&server.url()).await.unwrap();
    let one = Postgres::from_pool(pool.clone(), "sessions").await.unwrap();
    let other = Postgres::from_pool(pool, "sessions").await.unwrap().without_prepared_statements();
    Pair::new(Arc::new(one), Arc::new(other)).real_time().keeping(server)
}

conformance! { mysql_on_the_applications_pool_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => mysql_pool().await }

async fn mysql_pool() -> Pair {
    let server = MariaDb::start().await;
    let pool = sqlx::MySqlPool::connect(&server.url()).await.unwrap();
    let one = MySql::from_pool(pool.clone(), "sessions").await.unwrap();
    let other = MySql::from_pool(pool, "sessions").await.unwrap();
    Pair::new(Arc::new(one), Arc::new(other)).real_time().keeping(server)
}

conformance! { sqlite_on_the_applications_pool_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => sqlite_pool().await }

async fn sqlite_pool() -> Pair {
    let file = SqliteFile::start().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file.address())
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let one = Sqlite::from_pool(pool.clone(), "sessions").await.unwrap();
    let other = Sqlite::from_pool(pool, "sessions").await.unwrap();
    Pair::new(Arc::new(one), Arc::new(other)).real_time().keeping(file)
}

fn config(url: &str, max_connections: u32, acquire_timeout: &str) -> PostgresConfig {
    let mut config = PostgresConfig::default();
    config.url = Some(FromSetting::from_setting(url).unwrap());
    config.max_connections = Some(max_connections);
    config.acquire_timeout = Some(FromSetting::from_setting(acquire_timeout).unwrap());
    config
}

/// Loads that many times at once, and says how many were answered.
async fn load_at_once<B: Backend>(backends: &[Arc<B>], times: usize) -> usize {
    let mut calls = JoinSet::new();
    for call in 0..times {
        let backend = Arc::clone(&backends[call % backends.len()]);
        calls.spawn(async move { backend.load(&KEY, touch()).await });
    }
    let answers = calls.join_all().await;
    let failed: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(failed.is_empty(), "{} of {times} failed, such as: {}", failed.len(), failed[0]);
    answers.len()
}

const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity \
                      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_has_no_more_connections_than_its_settings_say_however_many_types_it_has() {
    let server = PostgresServer::start().await;
    let mut backends = Vec::new();
    for table in ["users", "carts", "admins"] {
        let mut config = config(&server.url(), 3, "30s");
        config.table = Some(table.into());
        backends.push(Arc::new(Postgres::open(config, &SCOPE).await.unwrap()));
    }
    load_at_once(&backends, 60).await;
    assert!(server.number(OTHERS).await <= 3, "types of one database share their connections");
    let apart = Arc::new(Postgres::open(config(&server.url(), 2, "30s"), &SCOPE).await.unwrap());
    load_at_once(&[apart], 60).await;
    assert!(server.number(OTHERS).await <= 5, "with other settings there is another pool");
}

#[tokio::test]
async fn a_call_waits_for_a_connection_as_long_as_it_is_told_to() {
    let server = PostgresServer::start().await;
    let backend = Arc::new(Postgres::open(config(&server.url(), 1, "200ms"), &SCOPE).await.unwrap());
    let patient = Arc::new(Postgres::open(config(&server.url(), 1, "60s"), &SCOPE).await.unwrap());
    let mut other = server.connect().await;
    other.execute("BEGIN").await.unwrap();
    other.execute("LOCK TABLE sessions").await.unwrap();
    let blocked = [&backend, &patient].map(|backend| {
        let backend = Arc::clone(backend);
        tokio::spawn(async move { backend.load(&KEY, touch()).await })
    });
    let locked = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted";
    wait::until(wait::ANSWER, "both wait for the table", async || server.number(locked).await == 2).await;
    let waiting = tokio::spawn(async move { patient.load(&KEY, touch()).await });
    let error = wait::within(wait::ANSWER, "it gives up", backend.load(&KEY, touch())).await.unwrap_err();
    assert!(error.to_string().contains("timed out while waiting for an open connection"), "{error}");
    assert!(!waiting.is_finished());
    other.execute("COMMIT").await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), None, "the other one was told to wait for longer");
    for call in blocked {
        assert_eq!(call.await.unwrap().unwrap(), None);
    }
}

/// A server that has fewer connections left than the pool may have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_few_connections_are_left_calls_wait_for_those_that_there_are() {
    let postgres = PostgresServer::start_with(&["max_connections=8", "superuser_reserved_connections=5"]).await;
    postgres.sql("CREATE ROLE shop LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO shop").await;
    let url = postgres.url().replace("tester", "shop");
    let backend = Arc::new(Postgres::open(config(&url, 10, "30s"), &SCOPE).await.unwrap());
    for _ in 0..3 {
        load_at_once(&[Arc::clone(&backend)], 60).await;
    }

    let mariadb = MariaDb::start().await;
    drop(mariadb.open().await);
    mariadb.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO shop").await;
    mariadb.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON sessions_meta TO shop").await;
    let limited = MariaDb::start_with(&["--max-connections=10", "--extra-max-connections=1"]).await;
    let mut config = MySqlConfig::default();
    config.url = Some(FromSetting::from_setting(&limited.url()).unwrap());
    (config.max_connections, config.acquire_timeout) = (Some(20), Some(Duration::from_secs(30)));
    let mut taken = Vec::new();
    for _ in 0..7 {
        taken.push(limited.connect().await);
    }
    let backend = Arc::new(MySql::open(config, &SCOPE).await.unwrap());
    for _ in 0..3 {
        load_at_once(&[Arc::clone(&backend)], 60).await;
    }
}

#[tokio::test]
async fn what_a_full_server_said_is_the_error_if_no_connection_comes_in_time() {
    let server = PostgresServer::start_with(&["max_connections=6", "superuser_reserved_connections=5"]).await;
    server.sql("CREATE ROLE shop LOGIN").await;
    let url = server.url().replace("tester", "shop");
    let taken = sqlx::PgPool::connect(&url).await.unwrap();
    let taken = taken.acquire().await.unwrap();
    let backend = Postgres::open(config(&url, 10, "300ms"), &SCOPE).await.expect("a full server is waited for");
    let error = backend.load(&KEY, touch()).await.unwrap_err();
    assert!(error.to_string().contains("connection"), "{error}");
    assert!(!error.to_string().contains("timed out"), "{error}");
    drop(taken);
}

/// A login with SCRAM takes thousands of hashes on either side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_are_answered_though_each_connection_needs_a_login_with_scram() {
    let server = PostgresServer::start().await;
    drop(server.open().await);
    server.require_passwords().await;
    let backend = Arc::new(Postgres::new(&server.url(), "sessions").unwrap());
    assert_eq!(load_at_once(&[backend], 32).await, 32);
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_the_applications_pool_whole() {
    let server = PostgresServer::start().await;
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(1).acquire_timeout(wait::ANSWER);
    let pool = options.connect(&server.url()).await.unwrap();
    let backend = Postgres::from_pool(pool.clone(), "sessions").await.unwrap();
    let mut other = server.connect().await;
    other.execute("BEGIN").await.unwrap();
    other.execute("LOCK TABLE sessions").await.unwrap();
    assert!(timeout(Duration::from_millis(200), backend.load(&KEY, touch())).await.is_err());
    let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&pool).await.unwrap();
    assert_eq!(one, 1, "the application gets a connection that waits for nothing");
    other.execute("COMMIT").await.unwrap();
    assert_eq!(backend.load(&KEY, touch()).await.unwrap(), None);
}
