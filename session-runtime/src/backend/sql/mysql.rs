//! Sessions in MySQL and MariaDB.

use sqlx::mysql::MySqlConnectOptions;

use super::driver::Mode;
use super::pool::Pool;
use super::prelude::*;
use super::remote::{settings, url};
use super::shared::shared;
use crate::setting::FromSetting as _;

/// Sessions in MySQL (8.0 or later) or MariaDB (10.6 or later), shared by every process that can reach it.
///
/// At most `max_connections` connections (ten), made when they are needed and never held while a handler
/// runs. The session types of a process that are declared with the same URL share them. On each the store sets
/// `autocommit`, the isolation, `sql_mode` and the time zone, whatever the server's defaults are. A shared borrow is one query; an exclusive borrow is one statement that takes the lease, one that reads the
/// record, and one that saves and unlocks. `last_seen` follows the uses of a session when it is a
/// sixteenth of the idle timeout (at most a minute) old, with a statement of its own.
///
/// The table is made when the sessions are opened, or by the first call that reaches the database. Who
/// waits for a lease of another process asks for it every 100 ms at the longest.
pub struct MySql {
    store: Arc<SqlStore<sqlx::MySql>>,
    table: String,
}

/// The arguments of `backend = mysql(...)`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct MySqlConfig {
    /// `mysql://[user:password@]host[:port]/database`, or `mariadb://...`. `?ssl-mode=VERIFY_IDENTITY` needs
    /// the cargo feature `sql-tls`, and so does MySQL's own `caching_sha2_password` over the network.
    pub url: Option<MySqlUrl>,
    /// The name of the table, with its database if it is another one (default: `sessions`).
    pub table: Option<String>,
    /// The most connections of this process (default: 10).
    pub max_connections: Option<u32>,
    /// How long a call waits for a connection, if all are in use or the server has none left (default: 1 s).
    pub acquire_timeout: Option<Duration>,
}

url! {
    /// A MySQL URL that can be read. It may hold a password, so nothing prints it.
    MySqlUrl: MySqlConnectOptions,
    ["mysql://", "mariadb://"],
    "mysql://localhost/database",
    "is not a MySQL URL; write it as mysql://[user:password@]host:3306/database"
}

const URL: &str = "backend = mysql(url)";

impl std::fmt::Debug for MySqlConfig {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MySqlConfig")
            .field("table", &self.table)
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .finish_non_exhaustive()
    }
}

impl MySql {
    /// Connects lazily, with connections of its own: a database that is down is tried anew by each call.
    ///
    /// # Errors
    /// A URL that can't be read, or a table's name that is none.
    pub fn new(url: &str, table: impl Into<String>) -> Result<Self, OpenError> {
        let MySqlUrl { options, .. } = MySqlUrl::from_setting(url).map_err(|why| OpenError::option(URL, None, why))?;
        Self::on(Pool::new(own(options), settings::<sqlx::MySql>(None, None, Mode::Prepared)?), table.into())
    }

    /// Sessions in a database to which the application has connections. How many there are, how long a call waits for
    /// one and what is set on them is the application's; they need `autocommit = 1`.
    ///
    /// ```no_run
    /// # use session_runtime::{Sessions, SessionData, backend::MySql};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # #[session(crate = session_runtime)]
    /// # struct User;
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = sqlx::MySqlPool::connect("mysql://localhost/shop").await?;
    /// let sessions = Sessions::<User>::builder().backend(MySql::from_pool(pool, "sessions").await?).open().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A table's name that is none, and what waiting would not mend: missing rights, a server that takes no writes,
    /// `autocommit = 0`. A server that is down is no error.
    pub async fn from_pool(pool: sqlx::MySqlPool, table: impl Into<String>) -> Result<Self, OpenError> {
        let mysql = Self::on(Arc::new(Pool::Handed(pool)), table.into())?;
        mysql.store.warm_up("pool").await?;
        Ok(mysql)
    }

    fn on(pool: Arc<Pool<sqlx::MySql>>, table: String) -> Result<Self, OpenError> {
        Ok(Self { store: Arc::new(SqlStore::remote(pool, &table, Mode::Prepared)?), table })
    }
}

/// The options of connections that this store makes. It sets all that it relies on by itself.
fn own(options: MySqlConnectOptions) -> MySqlConnectOptions {
    options.pipes_as_concat(false).no_engine_substitution(false).timezone(None).set_names(false)
}

backend!(MySql);

impl OpenBackend for MySql {
    type Config = MySqlConfig;

    async fn open(config: MySqlConfig, _: &Scope) -> Result<Self, OpenError> {
        let MySqlConfig { url, table, max_connections, acquire_timeout } = config;
        let MySqlUrl { options, text } = url.ok_or_else(|| {
            let why = "is missing; write `url = env(\"DATABASE_URL\")` and set it to mysql://localhost/database";
            OpenError::option(URL, None, why)
        })?;
        let pool =
            shared(&text, settings::<sqlx::MySql>(max_connections, acquire_timeout, Mode::Prepared)?, || own(options));
        let mysql = Self::on(pool, table.unwrap_or_else(|| TABLE.into()))?;
        mysql.store.warm_up("url").await?;
        Ok(mysql)
    }
}
