//! Removing what has expired.

use std::time::Duration;

use super::dialect::Statements;
use super::driver::{Columns as _, Driver, SqlValue};
use super::failure::failure;
use super::listing::listed;
use super::store::{Purpose, SqlStore};
use crate::backend::{BackendError, ListedRecord, RecordKey};

/// A sweep that isn't over after this time was given up, and another process may sweep.
const SWEEPING: Duration = Duration::from_secs(10);

impl<D: Driver> SqlStore<D> {
    /// Forgets what has expired, unless somebody else is at it.
    pub(super) async fn sweep(&self, limit: usize) -> Result<usize, BackendError> {
        if !self.claim_sweep().await? {
            return Ok(0);
        }
        let swept = self.forget_expired(limit).await;
        self.unclaim_sweep().await?;
        swept
    }

    /// A look that locks nothing, then removals by key that ask again: whoever uses a record meanwhile
    /// waits for one short statement at the most, and no two can wait for each other.
    async fn forget_expired(&self, limit: usize) -> Result<usize, BackendError> {
        let limit = SqlValue::Number(i64::try_from(limit).unwrap_or(i64::MAX));
        let expired = self.run(Purpose::Read, &self.statements.expired, &[limit]).await?.result;
        let keys = expired.rows.iter().map(|row| Ok(row.bytes(0)?.unwrap_or_default()));
        let keys = keys.collect::<Result<Vec<_>, sqlx::Error>>().map_err(failure)?;
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        self.forget_keys(&keys).await
    }

    async fn forget_keys(&self, keys: &[&[u8]]) -> Result<usize, BackendError> {
        let mut swept = 0;
        for batch in keys.chunks(Statements::BATCH) {
            // The statement has as many places as a full batch: the last key fills what is left of them.
            let places = (0..Statements::BATCH).map(|place| batch[place.min(batch.len() - 1)]);
            let values: Vec<_> = places.map(SqlValue::Bytes).collect();
            let removed = self.run(Purpose::Write, &self.statements.forget, &values).await?.result.affected;
            swept += usize::try_from(removed).unwrap_or(usize::MAX);
        }
        Ok(swept)
    }

    /// What has expired, for who is told of it before it is forgotten. Another process gets nothing meanwhile, for as long as
    /// the claim runs: if it is not forgotten by then, that process gets the same. This store may ask again at any time, so
    /// whoever asks sees to it that nobody else does.
    pub(super) async fn expired(&self, limit: usize) -> Result<Vec<ListedRecord>, BackendError> {
        if !self.claim_sweep().await? {
            return Ok(Vec::new());
        }
        let limit = SqlValue::Number(i64::try_from(limit).unwrap_or(i64::MAX));
        let expired = self.run(Purpose::Read, &self.statements.expired_records, &[limit]).await;
        let expired: Vec<ListedRecord> = match expired {
            Ok(expired) => {
                let rows = expired.result.rows.iter().filter_map(|row| listed(row).transpose());
                rows.collect::<Result<_, _>>().map_err(failure)?
            }
            Err(failed) => return Err(failed.into()),
        };
        if expired.is_empty() {
            self.unclaim_sweep().await?;
        }
        Ok(expired)
    }

    /// Forgets those of these that have expired.
    pub(super) async fn forget(&self, keys: &[RecordKey]) -> Result<usize, BackendError> {
        let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes().as_slice()).collect();
        let swept = self.forget_keys(&keys).await;
        self.unclaim_sweep().await?;
        swept
    }

    /// Whether this store is the one that sweeps now.
    async fn claim_sweep(&self) -> Result<bool, BackendError> {
        let sweeper = self.sweeper.to_bytes();
        let me = SqlValue::from(&sweeper);
        self.changed(&self.statements.claim, &[me, SWEEPING.into(), me]).await
    }

    async fn unclaim_sweep(&self) -> Result<(), BackendError> {
        let sweeper = self.sweeper.to_bytes();
        self.changed(&self.statements.unclaim, &[SqlValue::from(&sweeper)]).await.map(drop)
    }
}
