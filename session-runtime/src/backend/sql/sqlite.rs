//! Sessions in a SQLite file.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::time::Instant;

use super::dialect::Sql;
use super::driver::{Columns as _, Driver as _, Mode};
use super::failure::failure;
use super::pool::{Pool, PoolSettings};
use super::prelude::*;
use super::probe::Probe;
use super::shared::shared;
use super::waiting::Pauses;

/// Sessions in a SQLite file, shared by the processes of one machine: nothing to install, and sessions
/// survive a restart and a `kill -9`.
///
/// A file that this store makes is in WAL mode, so readers and writers don't wait for each other, and has mode 0600.
/// A file that is there keeps the journal mode that it has: others may use it, and the mode is the file's for good. In
/// WAL mode commits are as durable as `synchronous=NORMAL` has it: after a power cut the last ones may be missing,
/// and the file is whole. In the other modes none is missing. The file has to be on a local disk: SQLite's locks don't
/// hold across a network.
///
/// One connection writes and up to four read, each a thread of its own. The session types of a process that are
/// declared with the same file share them. A shared borrow is one query; an
/// exclusive borrow is one statement that takes the lease and reads the record, and one that saves and
/// unlocks. While one such statement runs, the exclusive borrows of other sessions wait and then share the next statement
/// and its commit, up to 32. `last_seen` follows the uses of a session when it is a sixteenth of the idle timeout (at most
/// a minute) old.
pub struct Sqlite {
    store: Arc<SqlStore<sqlx::Sqlite>>,
    table: String,
}

/// The arguments of `backend = sqlite(...)`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The file, made if it is missing; its folder has to be there.
    pub path: Option<PathBuf>,
    /// The name of the table (default: `sessions`).
    pub table: Option<String>,
}

/// How long a statement waits for another process's write: less than the runtime's usual deadline, so that
/// the answer is still the database's own.
const BUSY: Duration = Duration::from_millis(800);
const READERS: usize = 4;
/// How long opening waits for the others that open the same file.
const OPENING: Duration = Duration::from_secs(10);

/// How long a call waits for a connection. The runtime's deadline is usually the shorter.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

impl Sqlite {
    /// Opens the file with connections of its own, and makes it and the table if they are missing.
    ///
    /// # Errors
    /// A file that can't be made, read or written, or that is no SQLite database; a table's name that is none,
    /// or the name of a table of somebody else.
    pub async fn new(path: impl AsRef<Path>, table: impl Into<String>) -> Result<Self, OpenError> {
        let place = Place::find(path.as_ref()).await?;
        let pool = |most| Pool::new(place.options(), pool_settings(most));
        Self::on([pool(READERS), pool(1)], table.into(), "path").await
    }

    /// Sessions in a file to which the application has connections. How many there are, and the file's journal mode,
    /// are the application's.
    ///
    /// ```no_run
    /// # use session_runtime::{Sessions, SessionData, backend::Sqlite};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # #[session(crate = session_runtime)]
    /// # struct User;
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = sqlx::SqlitePool::connect("sqlite://shop.db").await?;
    /// let sessions = Sessions::<User>::builder().backend(Sqlite::from_pool(pool, "sessions").await?).open().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A file that can't be written; a table's name that is none, or the name of a table of somebody else.
    pub async fn from_pool(pool: sqlx::SqlitePool, table: impl Into<String>) -> Result<Self, OpenError> {
        let handed = || Arc::new(Pool::Handed(pool.clone()));
        Self::on([handed(), handed()], table.into(), "pool").await
    }

    /// `argument` is what says where the file is.
    async fn on(
        [reads, writes]: [Arc<Pool<sqlx::Sqlite>>; 2],
        table: String,
        argument: &str,
    ) -> Result<Self, OpenError> {
        let store = Arc::new(SqlStore::new(reads, writes, &table, Mode::Prepared)?);
        let mut patience = Patience::new();
        while let Err(Probe::Failed(error)) = store.probe().await {
            patience.with(error).await.map_err(|error| {
                let why = format!("names a file whose table {table:?} can't be used");
                OpenError::backend(&format!("sqlite({argument})"), why, failure(error))
            })?;
        }
        Ok(Self { store, table })
    }
}

/// How long opening goes on while others that open the same file are in the way: the switch to WAL mode does not wait for
/// them as statements do.
struct Patience {
    started: Instant,
    pauses: Pauses,
}

impl Patience {
    fn new() -> Self {
        Self { started: Instant::now(), pauses: Pauses::new() }
    }

    /// Waits for a moment, if trying again may help.
    async fn with(&mut self, error: sqlx::Error) -> Result<(), sqlx::Error> {
        if !is_busy(&error) || self.started.elapsed() > OPENING {
            return Err(error);
        }
        tokio::time::sleep(self.pauses.next()).await;
        Ok(())
    }
}

/// One at a time writes: writers in this process queue up there, where waiting costs nothing.
fn pool_settings(max_connections: usize) -> PoolSettings {
    PoolSettings { max_connections, acquire_timeout: ACQUIRE_TIMEOUT, remote: false, lasting: true }
}

/// A file that is there.
struct Place {
    path: PathBuf,
    in_wal_mode: bool,
}

impl Place {
    /// Makes the file if it is missing. One that is there may be used by others, and is left in its journal mode.
    async fn find(path: &Path) -> Result<Self, OpenError> {
        if let Some(why) = is_no_path(path) {
            return Err(OpenError::option("backend = sqlite(path)", None, why));
        }
        let refuse = |error: io::Error| {
            let why = format!("names the file {}, which can't be opened; its folder has to be there", path.display());
            OpenError::backend("sqlite(path)", why, error)
        };
        let (whole, is_new) = make(path).map_err(refuse)?;
        let mut place = Self { path: whole, in_wal_mode: false };
        let mut patience = Patience::new();
        loop {
            match place.journal(is_new).await {
                Ok(in_wal_mode) => break place.in_wal_mode = in_wal_mode,
                Err(error) => patience.with(error).await.map_err(|error| {
                    let why = format!("names the file {}, which can't be used", path.display());
                    OpenError::backend("sqlite(path)", why, failure(error))
                })?,
            }
        }
        if !place.in_wal_mode {
            event!(
                warn,
                "session.journal_mode",
                path = %path.display(),
                "the SQLite file is not in WAL mode and is left as it is: readers and writers wait for each other"
            );
        }
        Ok(place)
    }

    /// Whether the file is in WAL mode, to which a new one is switched.
    async fn journal(&self, is_new: bool) -> Result<bool, sqlx::Error> {
        let mut options = SqliteConnectOptions::new().filename(&self.path).busy_timeout(BUSY);
        if is_new {
            options = options.journal_mode(SqliteJournalMode::Wal);
        }
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        let sql = Sql::constant("SELECT journal_mode = 'wal' FROM pragma_journal_mode");
        let rows = sqlx::Sqlite::run(&mut connection, &sql, &[], Mode::Text).await?.rows;
        let is_wal = rows.first().map(|row| row.number(0)).transpose()?.flatten();
        connection.close().await?;
        Ok(is_wal == Some(1))
    }

    fn options(&self) -> SqliteConnectOptions {
        let safe = if self.in_wal_mode { SqliteSynchronous::Normal } else { SqliteSynchronous::Full };
        let options = SqliteConnectOptions::new().filename(&self.path).create_if_missing(false);
        options.busy_timeout(BUSY).synchronous(safe)
    }

    /// What tells it from other files: a new one of the same name is another.
    fn identity(&self) -> String {
        #[cfg(unix)]
        let number = std::fs::metadata(&self.path).map(|file| std::os::unix::fs::MetadataExt::ino(&file)).unwrap_or(0);
        #[cfg(not(unix))]
        let number = 0;
        format!("{}\0{number}", self.path.display())
    }
}

/// What SQLite's other callers write where a path is meant here: as one, it would be an odd file's.
fn is_no_path(path: &Path) -> Option<&'static str> {
    let text = path.to_str()?;
    if text == ":memory:" {
        return Some("is `:memory:`, which is no file; write `backend = memory`, or the path of a file");
    }
    let is_url = ["sqlite:", "file:"].iter().any(|scheme| text.starts_with(scheme));
    is_url.then_some("is a URL; write the path of a file alone, such as /var/lib/app/sessions.db")
}

/// Makes the file if it is missing, for this user alone from its first moment on; the files that SQLite
/// puts beside it have the same mode. Answers its whole path, which SQLite can't mistake for one of the
/// names that mean something to it, and whether nothing is in the file yet.
fn make(path: &Path) -> io::Result<(PathBuf, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    Ok((std::path::absolute(path)?, file.metadata()?.len() == 0))
}

/// Whether somebody else is writing to the SQLite file. Its extended codes have the plain one in their
/// last byte.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

backend!(Sqlite);

impl OpenBackend for Sqlite {
    type Config = SqliteConfig;

    async fn open(config: SqliteConfig, _: &Scope) -> Result<Self, OpenError> {
        let path = config.path.ok_or_else(|| {
            OpenError::option("backend = sqlite(path)", None, "is missing; write `path = \"sessions.db\"`")
        })?;
        let place = Place::find(&path).await?;
        let identity = place.identity();
        let pool = |most| shared(&identity, pool_settings(most), || place.options());
        Self::on([pool(READERS), pool(1)], config.table.unwrap_or_else(|| TABLE.into()), "path").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(path: &Path, table: &str) -> Sqlite {
        let config = SqliteConfig { path: Some(path.into()), table: Some(table.into()) };
        Sqlite::open(config, &Scope::new("tests", "User")).await.unwrap()
    }

    #[tokio::test]
    async fn types_of_one_file_share_its_connections_and_a_new_file_of_the_same_name_has_its_own() {
        let name = format!("session-runtime-{:x}.db", u64::from_be_bytes(crate::id::random()));
        let path = std::env::temp_dir().join(name);
        let (one, other) = (open(&path, "users").await, open(&path, "carts").await);
        assert!(one.store.shares_connections_with(&other.store));
        assert!(!one.store.shares_connections_with(&Sqlite::new(&path, "users").await.unwrap().store));
        let remove = || ["", "-wal", "-shm"].map(|end| std::fs::remove_file(format!("{}{end}", path.display())));
        let _ = remove();
        assert!(!one.store.shares_connections_with(&open(&path, "users").await.store));
        let _ = remove();
    }
}
