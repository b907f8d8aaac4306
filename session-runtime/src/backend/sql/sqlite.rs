//! Sessions in a SQLite file.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::failure::failure;
use super::pool::Pool;
use super::prelude::*;
use super::waiting::Pauses;

/// Sessions in a SQLite file, shared by the processes of one machine: nothing to install, and sessions
/// survive a restart and a `kill -9`.
///
/// The file is in WAL mode, so readers and writers don't wait for each other, and is made with mode 0600.
/// Commits are as durable as `synchronous=NORMAL` has it: after a power cut the last ones may be missing,
/// and the file is whole. It has to be on a local disk: SQLite's locks don't hold across a network.
///
/// One connection writes and up to four read, each a thread of its own. A shared borrow is one query; an
/// exclusive borrow is one statement that takes the lease and reads the record, and one that saves and
/// unlocks. `last_seen` follows the uses of a session when it is a sixteenth of the idle timeout (at most
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

impl Sqlite {
    /// Opens the file, and makes it and the table if they are missing.
    ///
    /// # Errors
    /// A file that can't be made, read or written, or that is no SQLite database; a table's name that is none,
    /// or the name of a table of somebody else.
    pub async fn new(path: impl AsRef<Path>, table: impl Into<String>) -> Result<Self, OpenError> {
        let (path, table) = (path.as_ref(), table.into());
        if let Some(why) = is_no_path(path) {
            return Err(OpenError::option("backend = sqlite(path)", None, why));
        }
        let refuse = |error: io::Error| {
            let why = format!("names the file {}, which can't be opened; its folder has to be there", path.display());
            OpenError::backend("sqlite(path)", why, error)
        };
        let path = make(path).map_err(refuse)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(BUSY)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        let reads = Arc::new(Pool::new(options.clone(), READERS, false));
        // One at a time: writers in this process queue up here, where waiting costs nothing.
        let writes = Arc::new(Pool::new(options, 1, false));
        let store = Arc::new(SqlStore::new(reads, writes, &table)?);

        let started = tokio::time::Instant::now();
        let mut pauses = Pauses::new();
        // The switch to WAL mode does not wait for others as statements do.
        while let Err(error) = store.prepare().await {
            if !is_busy(&error) || started.elapsed() > OPENING {
                let why = format!("names a file whose table {table:?} can't be used");
                return Err(OpenError::backend("sqlite(path)", why, failure(error)));
            }
            tokio::time::sleep(pauses.next()).await;
        }
        Ok(Self { store, table })
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
/// names that mean something to it.
fn make(path: &Path) -> io::Result<PathBuf> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    std::path::absolute(path)
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
        Self::new(path, config.table.unwrap_or_else(|| TABLE.into())).await
    }
}
