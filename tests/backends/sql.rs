//! What the SQL backends do besides: their tables, what may be shown of their errors, and the sweep.

use std::{sync::Arc, time::Duration};

use session_runtime::{
    Clock, FromSetting, OpenError, SystemClock, Timestamp,
    backend::{
        Acquired, Backend, Holder, Lease, Leases, MySql, MySqlConfig, OpenBackend, Postgres, PostgresConfig, Record,
        RecordKey, Scope, Sqlite, SqliteConfig, Sweep, Touch, Written,
    },
    testing::{Pair, conformance},
};
use session_tests::{MariaDb, Postgres as PostgresServer};
use sqlx::{Connection, Row};
use tempfile::TempDir;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const KEY: RecordKey = RecordKey::from_bytes([1; 32]);
/// In every URL.
pub(crate) const PASSWORD: &str = "open-sesame";
pub(crate) const SCOPE: Scope = Scope::new("tests", "User");

pub(crate) fn touch() -> Touch {
    touch_at(SystemClock.now())
}

pub(crate) fn touch_at(now: Timestamp) -> Touch {
    Touch { now, idle: HOUR, expires: now.plus(HOUR * 12) }
}

pub(crate) fn record(version: u64, body: &str) -> Record {
    let now = SystemClock.now();
    Record { version, last_seen: now, expires: now.plus(HOUR * 12), body: body.as_bytes().to_vec().into() }
}

pub(crate) fn lease(holder: Holder) -> Lease {
    Lease { holder, ttl: HOUR, now: SystemClock.now() }
}

/// A URL as the attribute has it.
pub(crate) fn url<V: FromSetting>(url: &str) -> Option<V> {
    Some(V::from_setting(url).unwrap())
}

/// A database to open sessions in.
pub(crate) trait Database: Sized + Send + Sync {
    type Backend: Leases + Sweep + OpenBackend;

    async fn start() -> Self;
    /// What the program `clerk` is told.
    fn address(&self) -> String;
    async fn open_table(&self, table: &str) -> Result<Self::Backend, OpenError>;
    /// Runs SQL of the test's own.
    async fn sql(&self, sql: &str);
    /// The first column of the first row.
    async fn number(&self, sql: &str) -> i64;

    /// What it logged as an error and was no answer: whether there are tables, whether there is such a session.
    fn complaints(&self) -> Vec<String> {
        Vec::new()
    }

    async fn open(&self) -> Self::Backend {
        self.open_table("sessions").await.unwrap()
    }

    /// With connections of its own, as another process has them.
    async fn open_apart(&self) -> Self::Backend;

    /// Lets time go by for what is stored: all of it is that much older.
    async fn age(&self, by: Duration) {
        let millis = by.as_millis();
        let columns = ["last_seen", "expires", "keep_until", "lease_until"];
        let older = columns.map(|column| format!("{column} = {column} - {millis}")).join(", ");
        self.sql(&format!(
            "UPDATE sessions SET {older}; UPDATE sessions_meta SET sweeping_until = sweeping_until - {millis}"
        ))
        .await;
    }
}

/// A folder with a SQLite file.
pub(crate) struct SqliteFile(pub(crate) TempDir);

impl SqliteFile {
    /// One in memory, for tests in which many wait for each other: in `DELETE` mode readers wait for a writer, and a writer
    /// for a disk that may be busy with something else.
    pub(crate) fn in_memory() -> Self {
        Self(tempfile::tempdir_in("/dev/shm").expect("Linux has a file system in memory"))
    }

    /// A connection to look into it.
    pub(crate) async fn connect(&self) -> sqlx::SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.address()).create_if_missing(true);
        sqlx::SqliteConnection::connect_with(&options).await.unwrap()
    }
}

impl Database for SqliteFile {
    type Backend = Sqlite;

    async fn start() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn address(&self) -> String {
        self.0.path().join("sessions.db").to_str().unwrap().to_owned()
    }

    async fn open_table(&self, table: &str) -> Result<Sqlite, OpenError> {
        let mut config = SqliteConfig::default();
        (config.path, config.table) = (Some(self.address().into()), Some(table.into()));
        Sqlite::open(config, &SCOPE).await
    }

    async fn open_apart(&self) -> Sqlite {
        Sqlite::new(self.address(), "sessions").await.unwrap()
    }

    async fn sql(&self, sql: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut self.connect().await).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut self.connect().await).await.unwrap().get(0)
    }
}

impl Database for PostgresServer {
    type Backend = Postgres;

    async fn start() -> Self {
        Self::start().await
    }

    fn address(&self) -> String {
        self.url()
    }

    fn complaints(&self) -> Vec<String> {
        let log = self.log();
        let answers = ["does not exist", "\"sessions_pkey\""];
        let errors = log.lines().filter(|line| line.contains("ERROR:"));
        errors.filter(|line| !answers.iter().any(|answer| line.contains(answer))).map(ToOwned::to_owned).collect()
    }

    async fn open_table(&self, table: &str) -> Result<Postgres, OpenError> {
        let mut config = PostgresConfig::default();
        (config.url, config.table) = (url(&self.url()), Some(table.into()));
        Postgres::open(config, &SCOPE).await
    }

    async fn open_apart(&self) -> Postgres {
        Postgres::new(&self.url(), "sessions").unwrap()
    }

    async fn sql(&self, sql: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut self.connect().await).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut self.connect().await).await.unwrap().get(0)
    }
}

impl Database for MariaDb {
    type Backend = MySql;

    async fn start() -> Self {
        Self::start().await
    }

    fn address(&self) -> String {
        self.url()
    }

    async fn open_table(&self, table: &str) -> Result<MySql, OpenError> {
        let mut config = MySqlConfig::default();
        (config.url, config.table) = (url(&self.url()), Some(table.into()));
        MySql::open(config, &SCOPE).await
    }

    async fn open_apart(&self) -> MySql {
        MySql::new(&self.url(), "sessions").unwrap()
    }

    async fn sql(&self, sql: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut self.connect().await).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut self.connect().await).await.unwrap().get(0)
    }
}

conformance! { sqlite_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => pair::<SqliteFile>().await }
conformance! { postgres_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => pair::<PostgresServer>().await }
conformance! { mysql_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => pair::<MariaDb>().await }

/// Two pools on one table.
pub(crate) async fn pair<D: Database + 'static>() -> Pair {
    let database = D::start().await;
    let (one, other) = (Arc::new(database.open_apart().await), Arc::new(database.open_apart().await));
    // Leases and sweeps go by the database's clock.
    Pair::new(one, other).real_time().keeping(database)
}

/// Makes each behaviour a test of each of the databases.
macro_rules! on_each {
    ($($place:ident: $database:ty),+ => $behaviours:tt) => {
        $(crate::sql::on_each! { @ $place: $database => $behaviours })+
    };
    (@ $place:ident: $database:ty => [$($behaviour:ident)+]) => {
        mod $place {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    super::$behaviour::<$database>().await;
                }
            )+
        }
    };
}
pub(crate) use on_each;

on_each! {
    sqlite: crate::sql::SqliteFile, postgres: session_tests::Postgres, mysql: session_tests::MariaDb => [
        tables_of_other_names_are_other_sessions
        a_name_that_is_no_tables_is_refused
        somebody_elses_table_is_refused_and_left_alone
        tables_that_vanish_are_made_again
        a_later_version_of_the_tables_is_used_as_it_is
        what_is_stored_is_the_record_and_the_hash_of_its_id
        neither_debug_nor_an_error_shows_the_password
    ]
}

async fn tables_of_other_names_are_other_sessions<D: Database>() {
    let database = D::start().await;
    let (one, other) = (database.open_table("users").await.unwrap(), database.open_table("Order").await.unwrap());
    assert!(one.create(&KEY, record(1, "user"), touch()).await.unwrap());
    assert!(other.create(&KEY, record(1, "order"), touch()).await.unwrap());
    assert_eq!(&one.load(&KEY, touch()).await.unwrap().unwrap().body[..], b"user");
    assert_eq!(&other.load(&KEY, touch()).await.unwrap().unwrap().body[..], b"order");
}

async fn a_name_that_is_no_tables_is_refused<D: Database>() {
    let database = D::start().await;
    let long = "x".repeat(59);
    for name in ["", "1st", "a-b", "a b", "a\"b", "a`b", "a;b", "a.b.c", ".a", "a.", "naïve", &long] {
        let Err(error) = database.open_table(name).await else { panic!("{name:?} is accepted") };
        assert!(error.to_string().contains("(table)`: is "), "{error}");
    }
    database.open_table(&"x".repeat(58)).await.unwrap();
}

async fn somebody_elses_table_is_refused_and_left_alone<D: Database>() {
    let database = D::start().await;
    database
        .sql("CREATE TABLE sessions (id INTEGER, data VARCHAR(20)); INSERT INTO sessions VALUES (1, 'theirs')")
        .await;
    for _ in 0..2 {
        let Err(error) = database.open_table("sessions").await else { panic!("it is accepted") };
        assert!(error.to_string().contains("id_hash"), "{error}");
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM sessions WHERE data = 'theirs'").await, 1);
}

async fn tables_that_vanish_are_made_again<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    database.sql("DROP TABLE sessions; DROP TABLE sessions_meta").await;
    assert!(backend.load(&KEY, touch()).await.is_err(), "it says so once");
    assert_eq!(backend.load(&KEY, touch()).await.unwrap(), None);
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
}

async fn a_later_version_of_the_tables_is_used_as_it_is<D: Database>() {
    let database = D::start().await;
    drop(database.open().await);
    database.sql("UPDATE sessions_meta SET version = 7; ALTER TABLE sessions ADD owner INTEGER").await;
    let backend = database.open().await;
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(backend.load(&KEY, touch()).await.unwrap().unwrap().version, 1);
    assert_eq!(database.number("SELECT version FROM sessions_meta").await, 7);
}

async fn what_is_stored_is_the_record_and_the_hash_of_its_id<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    let first = record(3, "body");
    assert!(backend.create(&KEY, first.clone(), touch_at(first.last_seen)).await.unwrap());
    let stored = |column: &str| format!("SELECT {column} FROM sessions");
    assert_eq!(database.number(&stored("version")).await, 3);
    let millis = |time: Timestamp| i64::try_from(time.as_millis()).unwrap();
    assert_eq!(database.number(&stored("last_seen")).await, millis(first.last_seen));
    assert_eq!(database.number(&stored("expires")).await, millis(first.expires));
    let slack = backend.idle_slack(HOUR);
    // By the database's clock, which is this machine's, at the time of the statement.
    let is_about = |stored: i64, expected: i64| (stored - expected).abs() < 60_000;
    assert!(is_about(database.number(&stored("keep_until")).await, millis(first.last_seen.plus(HOUR + slack))));
    assert_eq!(database.number("SELECT COUNT(*) FROM sessions WHERE lease_holder IS NULL").await, 1);
    let (holder, long) = (Holder::new(), Lease { ttl: HOUR * 2, ..lease(Holder::new()) });
    assert!(matches!(backend.acquire(&KEY, Lease { holder, ..long }, touch()).await.unwrap(), Acquired::Granted(_)));
    assert!(is_about(database.number(&stored("lease_until")).await, millis(long.now.plus(long.ttl))));
}

async fn neither_debug_nor_an_error_shows_the_password<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    let mut shown = Vec::new();
    database.sql("DROP TABLE sessions").await;
    let error = backend.load(&KEY, touch()).await.unwrap_err();
    shown.extend([format!("{error}"), format!("{error:?}")]);
    for text in shown {
        assert!(!text.contains(PASSWORD) && !text.contains("127.0.0.1:"), "{text}");
    }
}

#[tokio::test]
async fn a_save_under_another_version_or_after_the_lease_ran_out_gives_the_lease_up() {
    let database = SqliteFile::start().await;
    let backend = database.open().await;
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    let lease = lease(Holder::new());
    assert!(matches!(backend.acquire(&KEY, lease, touch()).await.unwrap(), Acquired::Granted(_)));
    database.sql("UPDATE sessions SET lease_until = lease_until - 3600000").await;
    assert_eq!(backend.save(&KEY, lease, 1, record(2, "late"), touch()).await.unwrap(), Written::Conflict);
    let next = Lease { holder: Holder::new(), ..lease };
    assert!(matches!(backend.acquire(&KEY, next, touch()).await.unwrap(), Acquired::Granted(_)));
}
