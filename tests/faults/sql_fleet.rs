//! The ledger in a database, served by one process or two.

use session_tests::{MariaDb, Postgres};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};
use tempfile::TempDir;

use crate::fleet::{Fleet, Store, Terms};

/// A database of the test's own.
pub(crate) enum SqlStore {
    Sqlite(TempDir),
    Postgres(Postgres),
    MariaDb(MariaDb),
}

async fn sqlite(path: &str) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{path}")).await.unwrap()
}

impl SqlStore {
    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.path().join("sessions.db").display().to_string(),
            Self::Postgres(server) => server.url(),
            Self::MariaDb(server) => server.url(),
        }
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(_) => sqlite(&self.url()).await.execute(sql).await.map(drop),
            Self::Postgres(server) => server.connect().await.execute(sql).await.map(drop),
            Self::MariaDb(server) => server.connect().await.execute(sql).await.map(drop),
        }
        .unwrap();
    }

    async fn number(&self, sql: &'static str) -> i64 {
        let number = sqlx::raw_sql(sql);
        match self {
            Self::Sqlite(_) => sqlite(&self.url()).await.fetch_one(number).await.map(|row| row.get(0)),
            Self::Postgres(server) => server.connect().await.fetch_one(number).await.map(|row| row.get(0)),
            Self::MariaDb(server) => server.connect().await.fetch_one(number).await.map(|row| row.get(0)),
        }
        .unwrap()
    }

    /// How many things it has: records and leases.
    pub(crate) async fn stored(&self) -> usize {
        let sql = "SELECT COUNT(*) + COUNT(lease_holder) FROM sessions";
        usize::try_from(self.number(sql).await).unwrap()
    }

    /// Counts what changes a session from now on.
    pub(crate) async fn count_changes(&self) {
        self.sql(match self {
            Self::Sqlite(_) => {
                "CREATE TABLE changes (id INTEGER PRIMARY KEY); \
                 CREATE TRIGGER counts AFTER UPDATE ON sessions BEGIN INSERT INTO changes VALUES (NULL); END"
            }
            Self::Postgres(_) => {
                "CREATE TABLE changes (id BIGINT GENERATED ALWAYS AS IDENTITY); \
                 CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN INSERT INTO changes DEFAULT VALUES; RETURN NULL; END $$; \
                 CREATE TRIGGER counts AFTER UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION counts()"
            }
            Self::MariaDb(_) => {
                "CREATE TABLE changes (id BIGINT AUTO_INCREMENT PRIMARY KEY); \
                 CREATE TRIGGER counts AFTER UPDATE ON sessions FOR EACH ROW INSERT INTO changes VALUES (DEFAULT)"
            }
        })
        .await;
    }

    pub(crate) async fn changes(&self) -> u64 {
        self.number("SELECT COUNT(*) FROM changes").await.try_into().unwrap()
    }
}

impl Fleet {
    pub(crate) async fn on_sqlite(processes: usize, terms: Terms) -> Self {
        Self::in_sql(SqlStore::Sqlite(tempfile::tempdir().unwrap()), processes, terms).await
    }

    pub(crate) async fn on_postgres(processes: usize, terms: Terms) -> Self {
        Self::in_sql(SqlStore::Postgres(Postgres::start().await), processes, terms).await
    }

    pub(crate) async fn on_mariadb(processes: usize, terms: Terms) -> Self {
        Self::in_sql(SqlStore::MariaDb(MariaDb::start().await), processes, terms).await
    }

    async fn in_sql(database: SqlStore, processes: usize, terms: Terms) -> Self {
        let way = vec![("DATABASE_URL", database.url())];
        Self { members: Self::serve(&vec![way; processes], terms).await, store: Store::Sql(database) }
    }

    pub(crate) fn database(&self) -> &SqlStore {
        match &self.store {
            Store::Sql(database) => database,
            _ => panic!("there is no database"),
        }
    }
}

/// Makes each behaviour a test on each database, with two processes.
macro_rules! on_every_database {
    ($($behaviour:ident)+) => {
        crate::fleet::on_every_fleet! { @ on_sqlite_across_two_processes { Fleet::on_sqlite(2, PATIENT) } $($behaviour)+ }
        crate::fleet::on_every_fleet! { @ on_postgres_across_two_processes { Fleet::on_postgres(2, PATIENT) } $($behaviour)+ }
        crate::fleet::on_every_fleet! { @ on_mariadb_across_two_processes { Fleet::on_mariadb(2, PATIENT) } $($behaviour)+ }
    };
}
pub(crate) use on_every_database;
