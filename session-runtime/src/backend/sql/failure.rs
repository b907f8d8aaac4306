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

/// Whether the database's code for the error begins with one of these.
pub(super) fn is(error: &sqlx::Error, codes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| codes.iter().any(|prefix| code.starts_with(prefix)))
}

/// Whether the statement was undone because of another one, so that it can be run again.
pub(super) fn is_collision(error: &sqlx::Error) -> bool {
    is(error, &["40001", "40P01"])
}

/// Whether the connection is of no more use: it broke, its server is going down or became read-only, or
/// the statements that were prepared on it are of another time.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_none() || is(error, &["08", "57P", "25006", "70100", "0A000", "26000"])
}

/// Whether the tables are gone (or not made yet).
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    let missing = |error: &dyn DatabaseError| error.message().starts_with("no such table");
    is(error, &["42P01", "42S02"]) || error.as_database_error().is_some_and(missing)
}
