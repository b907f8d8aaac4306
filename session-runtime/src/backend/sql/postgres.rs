//! Sessions in PostgreSQL.

use sqlx::postgres::PgConnectOptions;

use super::prelude::*;
use super::remote::url;
use crate::setting::FromSetting as _;

/// Sessions in PostgreSQL, shared by every process that can reach it.
///
/// At most ten connections, made when they are needed and never held while a handler runs. A shared
/// borrow is one query; an exclusive borrow is one statement that takes the lease and reads the record,
/// and one that saves and unlocks. `last_seen` follows the uses of a session when it is a sixteenth of
/// the idle timeout (at most a minute) old, with a statement of its own.
///
/// The table is made when the sessions are opened, or by the first call that reaches the database. Who
/// waits for a lease of another process asks for it every 100 ms at the longest.
pub struct Postgres {
    store: Arc<SqlStore<sqlx::Postgres>>,
    table: String,
}

/// The arguments of `backend = postgres(...)`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct PostgresConfig {
    /// `postgres://[user:password@]host[:port]/database`. What it leaves out comes from PostgreSQL's own
    /// variables (`PGUSER`, `PGPASSWORD`, ...); `?sslmode=verify-full` needs the cargo feature `sql-tls`.
    pub url: Option<PostgresUrl>,
    /// The name of the table, with its schema if it is not in the search path (default: `sessions`).
    pub table: Option<String>,
}

url! {
    /// A PostgreSQL URL that can be read. It may hold a password, so nothing prints it.
    PostgresUrl: PgConnectOptions,
    ["postgres://", "postgresql://"],
    "postgres://localhost/database",
    "is not a PostgreSQL URL; write it as postgres://[user:password@]host:5432/database"
}

const URL: &str = "backend = postgres(url)";

impl std::fmt::Debug for PostgresConfig {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresConfig").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Postgres {
    /// Connects lazily: a database that is down is tried anew by each call.
    ///
    /// # Errors
    /// A URL that can't be read, or a table's name that is none.
    pub fn new(url: &str, table: impl Into<String>) -> Result<Self, OpenError> {
        let url = PostgresUrl::from_setting(url).map_err(|why| OpenError::option(URL, None, why))?;
        Self::at(url, table.into())
    }

    fn at(PostgresUrl(options): PostgresUrl, table: String) -> Result<Self, OpenError> {
        Ok(Self { store: Arc::new(SqlStore::remote(options, &table)?), table })
    }
}

backend!(Postgres);

impl OpenBackend for Postgres {
    type Config = PostgresConfig;

    async fn open(config: PostgresConfig, _: &Scope) -> Result<Self, OpenError> {
        let PostgresConfig { url, table } = config;
        let url = url.ok_or_else(|| {
            let why = "is missing; write `url = env(\"DATABASE_URL\")` and set it to postgres://localhost/database";
            OpenError::option(URL, None, why)
        })?;
        let postgres = Self::at(url, table.unwrap_or_else(|| TABLE.into()))?;
        postgres.store.warm_up().await?;
        Ok(postgres)
    }
}
