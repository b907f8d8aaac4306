//! Listing the sessions of a table.

use std::sync::atomic::AtomicBool;

use super::driver::{Columns, Driver, SqlValue};
use super::failure::{Failed, failure, is_missing_table};
use super::store::{Purpose, SqlStore, read};
use crate::backend::{BackendError, ListCursor, ListPage, ListedRecord, RecordKey};

/// The column that has the key.
const KEY: usize = 4;

impl<D: Driver> SqlStore<D> {
    /// One statement by the primary key: it reads as many rows as it returns, and locks none.
    pub(super) async fn list(&self, after: Option<&ListCursor>, limit: usize) -> Result<ListPage, BackendError> {
        let after = SqlValue::Bytes(after.map_or(&[], ListCursor::as_bytes));
        let limit = limit.max(1);
        let values = [after, SqlValue::Number(i64::try_from(limit).unwrap_or(i64::MAX))];
        let rows = match self.attempt(Purpose::Read, &self.statements.list, &values, &AtomicBool::new(false)).await {
            Ok(outcome) => outcome.result.rows,
            // Nothing was ever stored, and looking makes no tables.
            Err(Failed { error, .. }) if is_missing_table(&error) => return Ok(ListPage::default()),
            Err(failed) => return Err(failed.into()),
        };
        let last = rows.last().map(|row| row.bytes(KEY)).transpose().map_err(failure)?.flatten();
        let next = last.filter(|_| rows.len() >= limit).map(ListCursor::from_bytes);
        let listed = rows.iter().filter_map(|row| listed(row).transpose());
        Ok(ListPage { records: listed.collect::<Result<_, _>>().map_err(failure)?, next })
    }
}

/// `None` for a row under a name that is no key: nobody has put it there through the store.
pub(super) fn listed(row: &impl Columns) -> Result<Option<ListedRecord>, sqlx::Error> {
    let key = row.bytes(KEY)?.and_then(|key| key.try_into().ok()).map(RecordKey::from_bytes);
    let record = Some(read(row)?);
    Ok(key.map(|key| ListedRecord { key, record }))
}
