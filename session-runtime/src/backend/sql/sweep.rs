//! Removing what has expired.

use std::time::Duration;

use super::dialect::Statements;
use super::driver::{Columns as _, Driver, SqlValue};
use super::failure::failure;
use super::store::{Purpose, SqlStore};
use crate::backend::BackendError;

/// A sweep that isn't over after this time was given up, and another process may sweep.
const SWEEPING: Duration = Duration::from_secs(10);

impl<D: Driver> SqlStore<D> {
    /// Forgets what has expired, unless somebody else is at it.
    pub(super) async fn sweep(&self, limit: usize) -> Result<usize, BackendError> {
        let sweeper = self.sweeper.to_bytes();
        let me = SqlValue::from(&sweeper);
        if !self.changed(&self.statements.claim, &[me, SWEEPING.into(), me]).await? {
            return Ok(0);
        }
        let swept = self.forget_expired(limit).await;
        self.changed(&self.statements.unclaim, &[me]).await?;
        swept
    }

    /// A look that locks nothing, then removals by key that ask again: whoever uses a record meanwhile
    /// waits for one short statement at the most, and no two can wait for each other.
    async fn forget_expired(&self, limit: usize) -> Result<usize, BackendError> {
        let limit = SqlValue::Number(i64::try_from(limit).unwrap_or(i64::MAX));
        let expired = self.run(Purpose::Read, &self.statements.expired, &[limit]).await?.result;
        let keys = expired.rows.iter().map(|row| Ok(row.bytes(0)?.unwrap_or_default()));
        let keys = keys.collect::<Result<Vec<_>, sqlx::Error>>().map_err(failure)?;
        let mut swept = 0;
        for batch in keys.chunks(Statements::BATCH) {
            // The statement has as many places as a full batch: the last key fills what is left of them.
            let places = (0..Statements::BATCH).map(|place| &batch[place.min(batch.len() - 1)]);
            let values: Vec<_> = places.map(|key| SqlValue::Bytes(key)).collect();
            let removed = self.run(Purpose::Write, &self.statements.forget, &values).await?.result.affected;
            swept += usize::try_from(removed).unwrap_or(usize::MAX);
        }
        Ok(swept)
    }
}
