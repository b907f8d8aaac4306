//! Sessions in MySQL and MariaDB.

use sqlx::mysql::MySqlConnectOptions;

use super::prelude::*;
use super::remote::url;
use crate::setting::FromSetting as _;

/// Sessions in MySQL (8.0 or later) or MariaDB (10.6 or later), shared by every process that can reach it.
///
/// At most ten connections, made when they are needed and never held while a handler runs. A shared
/// borrow is one query; an exclusive borrow is one statement that takes the lease, one that reads the
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
        f.debug_struct("MySqlConfig").field("table", &self.table).finish_non_exhaustive()
    }
}

impl MySql {
    /// Connects lazily: a database that is down is tried anew by each call.
    ///
    /// # Errors
    /// A URL that can't be read, or a table's name that is none.
    pub fn new(url: &str, table: impl Into<String>) -> Result<Self, OpenError> {
        let url = MySqlUrl::from_setting(url).map_err(|why| OpenError::option(URL, None, why))?;
        Self::at(url, table.into())
    }

    fn at(MySqlUrl(options): MySqlUrl, table: String) -> Result<Self, OpenError> {
        Ok(Self { store: Arc::new(SqlStore::remote(options, &table)?), table })
    }
}

backend!(MySql);

impl OpenBackend for MySql {
    type Config = MySqlConfig;

    async fn open(config: MySqlConfig, _: &Scope) -> Result<Self, OpenError> {
        let MySqlConfig { url, table } = config;
        let url = url.ok_or_else(|| {
            let why = "is missing; write `url = env(\"DATABASE_URL\")` and set it to mysql://localhost/database";
            OpenError::option(URL, None, why)
        })?;
        let mysql = Self::at(url, table.unwrap_or_else(|| TABLE.into()))?;
        mysql.store.warm_up().await?;
        Ok(mysql)
    }
}
