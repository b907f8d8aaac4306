//! Sessions in PostgreSQL.

use sqlx::postgres::PgConnectOptions;

use super::driver::Mode;
use super::pool::Pool;
use super::prelude::*;
use super::remote::{settings, url};
use super::shared::shared;
use crate::setting::FromSetting as _;

/// Sessions in PostgreSQL, shared by every process that can reach it.
///
/// At most `max_connections` connections (ten), made when they are needed and never held while a handler
/// runs. The session types of a process that are declared with the same URL share them. A shared borrow is one query; an exclusive borrow is one statement that takes the lease and reads the record,
/// and one that saves and unlocks. `last_seen` follows the uses of a session when it is a sixteenth of
/// the idle timeout (at most a minute) old, with a statement of its own.
///
/// Two statements of a kind run at a time. Exclusive borrows of other sessions that come meanwhile share the next
/// statement and its commit, up to 32, but none waits longer than 100 ms for that.
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
    /// The most connections of this process (default: 10).
    pub max_connections: Option<u32>,
    /// How long a call waits for a connection, if all are in use or the server has none left (default: 1 s).
    pub acquire_timeout: Option<Duration>,
    /// Whether statements are prepared under names that a connection keeps (default: true). `false` is for a pooler
    /// that gives each transaction another connection, as PgBouncer does with `pool_mode = transaction`.
    pub prepared_statements: Option<bool>,
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
        f.debug_struct("PostgresConfig")
            .field("table", &self.table)
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("prepared_statements", &self.prepared_statements)
            .finish_non_exhaustive()
    }
}

impl Postgres {
    /// Connects lazily, with connections of its own: a database that is down is tried anew by each call.
    ///
    /// # Errors
    /// A URL that can't be read, or a table's name that is none.
    pub fn new(url: &str, table: impl Into<String>) -> Result<Self, OpenError> {
        let PostgresUrl { options, .. } =
            PostgresUrl::from_setting(url).map_err(|why| OpenError::option(URL, None, why))?;
        let pool = Pool::new(own(options), settings::<sqlx::Postgres>(None, None, Mode::Prepared)?);
        Self::on(pool, table.into(), Mode::Prepared)
    }

    /// Sessions in a database to which the application has connections. How many there are, how long a call waits for
    /// one and what is set on them is the application's.
    ///
    /// ```no_run
    /// # use session_runtime::{Sessions, SessionData, backend::Postgres};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # #[session(crate = session_runtime)]
    /// # struct User;
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = sqlx::PgPool::connect("postgres://localhost/shop").await?;
    /// let sessions = Sessions::<User>::builder().backend(Postgres::from_pool(pool, "sessions").await?).open().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A table's name that is none, and what waiting would not mend: missing rights, a server that takes no writes. A
    /// server that is down is no error.
    pub async fn from_pool(pool: sqlx::PgPool, table: impl Into<String>) -> Result<Self, OpenError> {
        let postgres = Self::on(Arc::new(Pool::Handed(pool)), table.into(), Mode::Prepared)?;
        postgres.store.warm_up("pool").await?;
        Ok(postgres)
    }

    /// Sends each statement as text, instead of preparing it under a name that its connection keeps: for a pool that
    /// leads through PgBouncer with `pool_mode = transaction`. In an attribute it is `prepared_statements = false`.
    ///
    /// ```no_run
    /// # use session_runtime::backend::Postgres;
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = sqlx::PgPool::connect("postgres://localhost:6432/shop").await?;
    /// let backend = Postgres::from_pool(pool, "sessions").await?.without_prepared_statements();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn without_prepared_statements(mut self) -> Self {
        // Nobody else has the store yet: a backend is not cloned.
        if let Some(store) = Arc::get_mut(&mut self.store) {
            store.send_as_text();
        }
        self
    }

    fn on(pool: Arc<Pool<sqlx::Postgres>>, table: String, mode: Mode) -> Result<Self, OpenError> {
        Ok(Self { store: Arc::new(SqlStore::remote(pool, &table, mode)?), table })
    }
}

/// The options of connections that this store makes. No number here has a fraction, and poolers refuse the setting.
fn own(options: PgConnectOptions) -> PgConnectOptions {
    options.extra_float_digits(None)
}

backend!(Postgres);

impl OpenBackend for Postgres {
    type Config = PostgresConfig;

    async fn open(config: PostgresConfig, _: &Scope) -> Result<Self, OpenError> {
        let PostgresConfig { url, table, max_connections, acquire_timeout, prepared_statements } = config;
        let PostgresUrl { options, text } = url.ok_or_else(|| {
            let why = "is missing; write `url = env(\"DATABASE_URL\")` and set it to postgres://localhost/database";
            OpenError::option(URL, None, why)
        })?;
        let mode = if prepared_statements.unwrap_or(true) { Mode::Prepared } else { Mode::Text };
        let pool = shared(&text, settings::<sqlx::Postgres>(max_connections, acquire_timeout, mode)?, || own(options));
        let postgres = Self::on(pool, table.unwrap_or_else(|| TABLE.into()), mode)?;
        postgres.store.warm_up("url").await?;
        Ok(postgres)
    }
}
