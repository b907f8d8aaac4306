//! The databases' drivers behind one trait, so that everything else here is written once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, TryStreamExt as _};
use sqlx::{Arguments as _, AssertSqlSafe, Connection, Database, Either, Executor as _, Row as _};

use super::dialect::{Dialect, Sql};
use crate::clock::Timestamp;

/// How a driver is told where its database is.
pub(super) type Options<D> = <<D as Database>::Connection as Connection>::Options;

/// A database that sqlx can talk to.
pub(super) trait Driver: Database<Row: Columns> {
    /// What is particular about its SQL.
    const DIALECT: Dialect;

    /// Runs a statement with these values, prepared under a name that the connection keeps, or as text.
    fn run(
        connection: &mut Self::Connection,
        sql: &Sql,
        values: &[SqlValue<'_>],
        mode: Mode,
    ) -> impl Future<Output = Result<StatementResult<Self>, sqlx::Error>> + Send;

    /// Runs a statement as it stands: no preparation, no values, no answer.
    fn run_raw(connection: &mut Self::Connection, sql: &str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// How statements reach the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each is prepared once on each connection, under a name.
    Prepared,
    /// Each is one message of text with the values in it, which needs nothing that an earlier one left on the
    /// connection. sqlx's other way, unnamed statements, takes two messages that a pooler may send to two servers.
    Text,
}

/// What a statement did.
pub(super) struct StatementResult<D: Database> {
    /// How many rows it found and changed.
    pub(super) affected: u64,
    /// What it returned.
    pub(super) rows: Vec<D::Row>,
    /// The number that `LAST_INSERT_ID` was given in it, where there is such a function.
    pub(super) told: u64,
}

/// A value for a placeholder.
#[derive(Clone, Copy)]
pub(super) enum SqlValue<'a> {
    Number(i64),
    Bytes(&'a [u8]),
}

impl From<Timestamp> for SqlValue<'_> {
    /// A time past the year 292,278,994 counts as that: order is what matters.
    fn from(time: Timestamp) -> Self {
        Self::Number(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    }
}

impl From<Duration> for SqlValue<'_> {
    /// Milliseconds; what is added to the current time must not overflow.
    fn from(duration: Duration) -> Self {
        Self::Number(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 4))
    }
}

impl<'a> From<&'a [u8]> for SqlValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for SqlValue<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

/// The columns of a row, by their place in the statement. NULL is `None`.
pub(super) trait Columns {
    fn number(&self, column: usize) -> Result<Option<i64>, sqlx::Error>;
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error>;

    /// A moment; NULL is the first of all.
    fn time(&self, column: usize) -> Result<Timestamp, sqlx::Error> {
        let millis = self.number(column)?.unwrap_or(0);
        Ok(Timestamp::from_millis(u64::try_from(millis).unwrap_or(0)))
    }

    /// What is left of something: nothing if it is NULL or over.
    fn left(&self, column: usize) -> Result<Duration, sqlx::Error> {
        let millis = self.number(column)?.unwrap_or(0);
        Ok(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }
}

/// Reads to the end, even if one row is all that can come: only then is the statement finished.
async fn collect<D: Database>(
    steps: impl Stream<Item = Result<Either<D::QueryResult, D::Row>, sqlx::Error>>,
    read: impl Fn(D::QueryResult) -> (u64, u64),
) -> Result<StatementResult<D>, sqlx::Error> {
    let mut answer = StatementResult { affected: 0, rows: Vec::new(), told: 0 };
    let mut steps = std::pin::pin!(steps);
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Left(done) => {
                let (affected, told) = read(done);
                (answer.affected, answer.told) = (answer.affected + affected, told);
            }
            Either::Right(row) => answer.rows.push(row),
        }
    }
    Ok(answer)
}

/// The same words for each driver: sqlx's own bounds for "any database that knows numbers and bytes"
/// would have to be repeated at every use.
macro_rules! driver {
    ($database:ty, $row:ty, $dialect:expr, $told:expr) => {
        impl Driver for $database {
            const DIALECT: Dialect = $dialect;

            async fn run(
                connection: &mut Self::Connection,
                sql: &Sql,
                values: &[SqlValue<'_>],
                mode: Mode,
            ) -> Result<StatementResult<Self>, sqlx::Error> {
                let read = |done: <Self as Database>::QueryResult| (done.rows_affected(), $told(&done));
                // No input reaches a statement's text but numbers and bytes in hexadecimal: the rest is made of
                // constants and a checked table name.
                if mode == Mode::Text {
                    let text = AssertSqlSafe(sql.with(&Self::DIALECT, values));
                    return collect::<Self>(connection.fetch_many(sqlx::raw_sql(text)), read).await;
                }
                let mut arguments = <Self as Database>::Arguments::default();
                for value in values {
                    match *value {
                        SqlValue::Number(number) => arguments.add(number),
                        SqlValue::Bytes(bytes) => arguments.add(bytes),
                    }
                    .map_err(sqlx::Error::Encode)?;
                }
                let query = sqlx::query_with(AssertSqlSafe(Arc::clone(&sql.prepared)), arguments);
                collect::<Self>(connection.fetch_many(query), read).await
            }

            async fn run_raw(connection: &mut Self::Connection, sql: &str) -> Result<(), sqlx::Error> {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)
            }
        }

        impl Columns for $row {
            fn number(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
                self.try_get(column)
            }

            fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
                self.try_get(column)
            }
        }
    };
}

#[cfg(feature = "sqlite")]
driver!(sqlx::Sqlite, sqlx::sqlite::SqliteRow, super::dialect::SQLITE, |_| 0);
#[cfg(feature = "postgres")]
driver!(sqlx::Postgres, sqlx::postgres::PgRow, super::dialect::POSTGRES, |_| 0);
#[cfg(feature = "mysql")]
driver!(sqlx::MySql, sqlx::mysql::MySqlRow, super::dialect::MYSQL, sqlx::mysql::MySqlQueryResult::last_insert_id);
