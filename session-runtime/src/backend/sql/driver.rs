//! The databases' drivers behind one trait, so that everything else here is written once.

use std::future::Future;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sqlx::{Arguments as _, AssertSqlSafe, Connection, Database, Either, Executor as _, Row as _};

use super::dialect::Dialect;
use crate::clock::Timestamp;

/// How a driver is told where its database is.
pub(super) type Options<D> = <<D as Database>::Connection as Connection>::Options;

/// A database that sqlx can talk to.
pub(super) trait Driver: Database<Row: Columns> {
    /// What is particular about its SQL.
    const DIALECT: Dialect;

    /// Runs a prepared statement with these values for its placeholders.
    fn run(
        connection: &mut Self::Connection,
        sql: &Arc<str>,
        values: &[SqlValue<'_>],
    ) -> impl Future<Output = Result<StatementResult<Self>, sqlx::Error>> + Send;

    /// Runs a statement as it stands: no preparation, no values, no answer.
    fn run_raw(connection: &mut Self::Connection, sql: &str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// What a statement did.
pub(super) struct StatementResult<D: Database> {
    /// How many rows it found and changed.
    pub(super) affected: u64,
    /// What it returned.
    pub(super) rows: Vec<D::Row>,
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
}

/// The same words for each driver: sqlx's own bounds for "any database that knows numbers and bytes"
/// would have to be repeated at every use.
macro_rules! driver {
    ($database:ty, $row:ty, $dialect:expr) => {
        impl Driver for $database {
            const DIALECT: Dialect = $dialect;

            async fn run(
                connection: &mut Self::Connection,
                sql: &Arc<str>,
                values: &[SqlValue<'_>],
            ) -> Result<StatementResult<Self>, sqlx::Error> {
                let mut arguments = <Self as Database>::Arguments::default();
                for value in values {
                    match *value {
                        SqlValue::Number(number) => arguments.add(number),
                        SqlValue::Bytes(bytes) => arguments.add(bytes),
                    }
                    .map_err(sqlx::Error::Encode)?;
                }
                // No input reaches a statement's text: it is made of constants and a checked table name.
                let query = sqlx::query_with(AssertSqlSafe(Arc::clone(sql)), arguments);
                let mut answer = StatementResult { affected: 0, rows: Vec::new() };
                let mut steps = connection.fetch_many(query);
                // To the end, even if one row is all that can come: only then is the statement finished.
                while let Some(step) = steps.try_next().await? {
                    match step {
                        Either::Left(done) => answer.affected += done.rows_affected(),
                        Either::Right(row) => answer.rows.push(row),
                    }
                }
                Ok(answer)
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
driver!(sqlx::Sqlite, sqlx::sqlite::SqliteRow, super::dialect::SQLITE);
#[cfg(feature = "postgres")]
driver!(sqlx::Postgres, sqlx::postgres::PgRow, super::dialect::POSTGRES);
#[cfg(feature = "mysql")]
driver!(sqlx::MySql, sqlx::mysql::MySqlRow, super::dialect::MYSQL);
