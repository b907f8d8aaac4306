//! Servers and roles whose settings are not the usual ones: what the store relies on it sets itself, and what it cannot
//! work with is refused when it is opened.

use std::sync::Arc;

use session_runtime::{
    FromSetting, OpenError,
    backend::{Backend, MySql, MySqlConfig, OpenBackend, Postgres, PostgresConfig, Scope},
    testing::{Pair, conformance},
};
use session_tests::{MariaDb, Postgres as PostgresServer};
use sqlx::{Connection, Row};

use crate::sql::{Database, KEY, record, touch};

const SCOPE: Scope = Scope::new("tests", "User");

/// What a server may have been set to for other applications.
const HOSTILE: &[&str] = &[
    "--autocommit=0",
    "--sql-mode=ORACLE,ANSI_QUOTES,PIPES_AS_CONCAT,EMPTY_STRING_IS_NULL,NO_BACKSLASH_ESCAPES,TIME_ROUND_FRACTIONAL",
    "--transaction-isolation=SERIALIZABLE",
    "--default-time-zone=+05:45",
    "--default-storage-engine=MyISAM",
];

conformance! { mysql_on_a_server_with_other_defaults_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => hostile_mariadb().await }

async fn hostile_mariadb() -> Pair {
    let server = MariaDb::start_with(HOSTILE).await;
    let [one, other] = [(); 2].map(|()| Arc::new(MySql::new(&server.url(), "sessions").expect("a URL")));
    Pair::new(one, other).real_time().keeping(server)
}

conformance! { postgres_with_serializable_transactions_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => serializable().await }

async fn serializable() -> Pair {
    let server = PostgresServer::start_with(&["default_transaction_isolation=serializable"]).await;
    let [one, other] = [(); 2].map(|()| Arc::new(Postgres::new(&server.url(), "sessions").expect("a URL")));
    Pair::new(one, other).real_time().keeping(server)
}

async fn open_postgres(url: &str) -> Result<Postgres, OpenError> {
    let mut config = PostgresConfig::default();
    config.url = Some(FromSetting::from_setting(url).expect("a URL"));
    Postgres::open(config, &SCOPE).await
}

async fn open_mysql(url: &str) -> Result<MySql, OpenError> {
    let mut config = MySqlConfig::default();
    config.url = Some(FromSetting::from_setting(url).expect("a URL"));
    MySql::open(config, &SCOPE).await
}

/// The message of a refusal has what the server itself said.
fn assert_refused<B>(opened: Result<B, OpenError>, reasons: &[&str]) {
    let Err(error) = opened else { panic!("it is opened; expected {reasons:?}") };
    let text = error.to_string();
    assert!(!text.contains("open-sesame"), "{text}");
    for reason in reasons {
        assert!(text.contains(reason), "{reason:?} is missing in: {text}");
    }
}

#[tokio::test]
async fn a_postgres_role_that_may_only_read_is_refused_with_the_servers_reason() {
    let server = PostgresServer::start().await;
    drop(server.open().await);
    server.sql("CREATE ROLE shop LOGIN; GRANT SELECT ON sessions, sessions_meta TO shop").await;
    let url = server.url().replace("tester", "shop");
    assert_refused(open_postgres(&url).await, &["was refused by the database", "permission denied for table sessions"]);
    server.sql("GRANT INSERT, UPDATE ON sessions, sessions_meta TO shop").await;
    assert_refused(open_postgres(&url).await, &["permission denied for table sessions"]);
    server.sql("GRANT DELETE ON sessions TO shop").await;
    let backend = open_postgres(&url).await.expect("it may do all that requests need");
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(server.number("SELECT COUNT(*) FROM sessions").await, 1, "what was tried out is gone");
}

#[tokio::test]
async fn a_mariadb_user_who_may_only_read_is_refused_with_the_servers_reason() {
    let server = MariaDb::start().await;
    drop(server.open().await);
    server.sql("GRANT SELECT ON sessions TO shop; GRANT SELECT ON sessions_meta TO shop").await;
    let url = server.url().replace("tester", "shop");
    assert_refused(open_mysql(&url).await, &["was refused by the database", "INSERT command denied"]);
    server.sql("GRANT INSERT, UPDATE ON sessions TO shop; GRANT INSERT, UPDATE ON sessions_meta TO shop").await;
    assert_refused(open_mysql(&url).await, &["DELETE command denied"]);
    server.sql("GRANT DELETE ON sessions TO shop").await;
    let backend = open_mysql(&url).await.expect("it may do all that requests need");
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(server.number("SELECT COUNT(*) FROM sessions").await, 1, "what was tried out is gone");
}

#[tokio::test]
async fn a_role_that_may_not_create_tables_is_told_so_if_there_are_none() {
    let (postgres, mariadb) = (PostgresServer::start().await, MariaDb::start().await);
    postgres
        .sql("REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE shop LOGIN; GRANT USAGE ON SCHEMA public TO shop")
        .await;
    let url = postgres.url().replace("tester", "shop");
    assert_refused(open_postgres(&url).await, &["was refused by the database", "permission denied for schema public"]);
    mariadb.sql("CREATE TABLE other (id INTEGER); GRANT SELECT ON other TO shop").await;
    let url = mariadb.url().replace("tester", "shop");
    assert_refused(open_mysql(&url).await, &["was refused by the database", "command denied"]);
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_refused() {
    let mut postgres = PostgresServer::start().await;
    drop(postgres.open().await);
    postgres.restart_as_standby().await;
    assert_refused(open_postgres(&postgres.url()).await, &["takes no writes", "read-only transaction"]);
    let mariadb = MariaDb::start_with(&["--read-only=1"]).await;
    assert_refused(open_mysql(&mariadb.url()).await, &["takes no writes", "--read-only"]);
}

#[tokio::test]
async fn a_user_whose_statements_end_after_a_millisecond_is_refused() {
    let (postgres, mariadb) = (PostgresServer::start().await, MariaDb::start().await);
    drop((postgres.open().await, mariadb.open().await));
    postgres.sql("ALTER ROLE tester SET statement_timeout = 1").await;
    assert_refused(open_postgres(&postgres.url()).await, &["a user whose statements the database ends"]);
    // The limit is read where it has ended nothing yet; the server may be faster with its own reason.
    let url = mariadb.url().replace("tester", "hasty");
    assert_refused(open_mysql(&url).await, &["a user whose statements the database ends"]);
}

#[tokio::test]
async fn a_wrong_password_is_refused_with_the_servers_reason() {
    let (postgres, mariadb) = (PostgresServer::start().await, MariaDb::start().await);
    postgres.require_passwords().await;
    let wrong = |url: String| url.replace("open-sesame", "wrong");
    assert_refused(open_postgres(&wrong(postgres.url())).await, &["password authentication failed"]);
    assert_refused(open_mysql(&wrong(mariadb.url())).await, &["Access denied"]);
    open_postgres(&postgres.url()).await.expect("the right one is taken");
}

/// Its connections are the application's, and so are their settings.
#[tokio::test]
async fn a_pool_on_which_nothing_would_be_stored_is_refused() {
    let server = MariaDb::start_with(&["--autocommit=0"]).await;
    let pool = sqlx::MySqlPool::connect(&server.url()).await.unwrap();
    assert_refused(MySql::from_pool(pool, "sessions").await, &["backend = mysql(pool)", "autocommit = 0"]);
    let options = sqlx::mysql::MySqlPoolOptions::new().after_connect(|connection, _| {
        Box::pin(async move { sqlx::raw_sql("SET autocommit = 1").execute(connection).await.map(drop) })
    });
    let backend = MySql::from_pool(options.connect(&server.url()).await.unwrap(), "sessions").await.unwrap();
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    let mut other = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
    let row = sqlx::query("SELECT COUNT(*) FROM sessions").fetch_one(&mut other).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 1);
}
