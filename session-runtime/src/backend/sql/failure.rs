//! A database's errors: what they mean here, and what may be shown of them.

use std::error::Error as StdError;
use std::fmt;

use sqlx::error::DatabaseError;

use crate::error::BackendError;

/// A driver's error, without what a database adds for its administrator: PostgreSQL's details may
/// repeat a whole row.
struct RedactedError(sqlx::Error);

impl fmt::Display for RedactedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for RedactedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for RedactedError {}

pub(super) fn failure(error: sqlx::Error) -> BackendError {
    BackendError::new(RedactedError(error))
}

/// A statement that failed.
pub(super) struct Failed {
    pub(super) error: sqlx::Error,
    /// Whether an earlier attempt broke half-way, and may have been carried out.
    pub(super) repeated: bool,
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self { error, repeated: false }
    }
}

impl From<Failed> for BackendError {
    fn from(failed: Failed) -> Self {
        failure(failed.error)
    }
}

/// Whether the database's code for the error begins with one of these.
pub(super) fn is(error: &sqlx::Error, codes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| codes.iter().any(|prefix| code.starts_with(prefix)))
}

/// Whether the statement was undone because of another one, so that it can be run again.
pub(super) fn is_collision(error: &sqlx::Error) -> bool {
    is(error, &["40001", "40P01"])
}

/// Whether the server has no connection left to give.
pub(super) fn is_full(error: &sqlx::Error) -> bool {
    is(error, &["53300"]) || is_numbered(error, &[1040, 1203, 1226])
}

/// Whether the server takes no writes: it is a standby, or an administrator has set it so.
pub(super) fn is_read_only(error: &sqlx::Error) -> bool {
    is(error, &["25006"]) || is_numbered(error, &[1290, 1792, 1836])
}

/// Whether the server ended the statement since it took too long.
pub(super) fn is_too_slow(error: &sqlx::Error) -> bool {
    is(error, &["57014"]) || is_numbered(error, &[1969, 3024])
}

/// Whether the server does not know the form of the statement: it never will. A table that is missing and a right that was
/// taken away are no such reasons, as they may come back.
pub(super) fn is_not_understood(error: &sqlx::Error) -> bool {
    is(error, &["42601", "42804", "42883", "0A000"]) || is_numbered(error, &[1064, 1093, 1176, 1221, 1235, 1288, 1295])
}

/// Whether MySQL's number of the error is one of these: its codes say less.
fn is_numbered(error: &sqlx::Error, numbers: &[u16]) -> bool {
    #[cfg(feature = "mysql")]
    {
        let error = error.as_database_error();
        let error = error.and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>());
        error.is_some_and(|error| numbers.contains(&error.number()))
    }
    #[cfg(not(feature = "mysql"))]
    {
        let _ = (error, numbers);
        false
    }
}

/// Whether the connection is of no more use: it broke, its server is going down or became read-only, or
/// the statements that were prepared on it are of another time.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_none() || is(error, &["08", "57P", "70100", "0A000", "26000"]) || is_read_only(error)
}

/// Whether the tables are gone (or not made yet).
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    let missing = |error: &dyn DatabaseError| error.message().starts_with("no such table");
    is(error, &["42P01", "42S02"]) || error.as_database_error().is_some_and(missing)
}
