//! Whether the database does what requests will ask of it, while the application starts.

use super::dialect::Statements;
use super::driver::{Columns as _, Driver, Mode, SqlValue};
use super::failure::is_too_slow;
use super::pool::Pool;
use crate::backend::Holder;

/// What is wrong with a database that answers.
pub(super) enum Probe {
    /// A statement failed.
    Failed(sqlx::Error),
    /// What waiting won't mend, and no statement's error tells.
    Refused(String),
}

impl From<sqlx::Error> for Probe {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

/// A server that ends statements sooner than this in milliseconds ends some that are as fast as they can be.
const SHORTEST_LIMIT: i64 = 50;

/// Runs each statement once, on a record that is gone afterwards: what the role, the server or the table forbids is
/// told by the database itself.
pub(super) async fn probe<D: Driver>(pool: &Pool<D>, statements: &Statements) -> Result<(), Probe> {
    let mut pooled = pool.get().await?;
    let connection = pooled.connection();
    let limits = super::dialect::Sql::constant(D::DIALECT.limits);
    let limits = D::run(connection, &limits, &[], Mode::Text).await?.rows;
    if let Some(row) = limits.first() {
        let limit = row.number(0)?.unwrap_or(0);
        if (1..SHORTEST_LIMIT).contains(&limit) {
            let why = format!(
                "names a user whose statements the database ends after {limit} ms; give it {SHORTEST_LIMIT} ms or more"
            );
            return Err(Probe::Refused(why));
        }
        if row.number(1)?.unwrap_or(1) == 0 {
            let why = "has connections with autocommit = 0, on which nothing is ever stored; set it to 1 when the pool \
                       connects";
            return Err(Probe::Refused(why.into()));
        }
    }
    // If one fails, the connection is dropped, and with it what was begun.
    D::run_raw(connection, D::DIALECT.begin).await?;
    let (key, holder) = (crate::id::random::<32>(), Holder::new().to_bytes());
    let (key, me, number) = (SqlValue::from(&key), SqlValue::from(&holder), SqlValue::Number(1));
    let empty = SqlValue::Bytes(&[]);
    for (sql, values) in [
        (&statements.create, &[key, number, number, number, number, empty][..]),
        (&statements.load, &[key]),
        (&statements.touch, &[number, number, number, key, number, number, number]),
        (&statements.update, &[number, number, number, number, empty, key, number]),
        (&statements.compare_and_set, &[number, number, number, number, empty, key, number]),
        (&statements.take, &[me, number, key, me]),
        (&statements.delete, &[key]),
        (&statements.unclaim, &[me]),
    ] {
        D::run(connection, sql, values, Mode::Text).await?;
    }
    D::run_raw(connection, "ROLLBACK").await?;
    pooled.keep();
    Ok(())
}

/// Whether a name that a statement was given on one connection is free on another one. Behind a pooler that gives each
/// transaction another connection to the server, it is not.
pub(super) async fn names_are_apart<D: Driver>(pool: &Pool<D>, statements: &Statements) -> Result<(), Probe> {
    if pool.max_connections() < 2 {
        return Ok(());
    }
    let mut one = pool.get().await?;
    D::run(one.connection(), &statements.version, &[], Mode::Prepared).await?;
    let mut other = pool.get().await?;
    D::run(other.connection(), &statements.version, &[], Mode::Prepared).await?;
    one.keep();
    other.keep();
    Ok(())
}

/// What to look at if waiting won't help: the user, the password, the database's name, the rights, the
/// table's columns or the way there are wrong.
pub(super) fn refusal(error: &sqlx::Error) -> Option<&'static str> {
    use super::failure::{is, is_read_only};

    match error {
        sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => Some(
            "asks for a way to the database that isn't there; TLS needs the cargo feature `sql-tls` of session-runtime",
        ),
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Some("leads to a server whose certificate is not trusted, or that does not speak TLS")
        }
        error if is_read_only(error) => {
            Some("leads to a server that takes no writes, such as a standby; name the primary server")
        }
        error if is_too_slow(error) => Some("names a user whose statements the database ends too soon"),
        error if is(error, &["26000", "42P05"]) => Some(
            "leads through a pooler that gives each transaction another connection; write `prepared_statements = false`",
        ),
        error if is(error, &["08P01", "28", "3D", "3F", "42"]) => {
            Some("was refused by the database; check the URL, the rights of its user and the table's name")
        }
        _ => None,
    }
}
