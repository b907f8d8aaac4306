//! Exclusive use of a session in terms of statements.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::batch::{self, Call, Entry, OwnValue};
use super::driver::{Columns as _, Driver, SqlValue};
use super::store::{Purpose, SqlStore, keep, version};
use super::taking::Taking;
use super::waiting::{LeaseState, Pauses, Waiter};
use crate::backend::{Acquired, BackendError, Kept, Lease, Record, RecordKey, Touch, Written};

/// What becomes of a lease with a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    GiveUp,
    Keep,
}

/// How long one look at somebody else's lease may take.
const LOOK: Duration = Duration::from_secs(1);

impl<D: Driver> SqlStore<D> {
    pub(super) async fn acquire(
        self: &Arc<Self>,
        key: &RecordKey,
        lease: Lease,
        touch: Touch,
    ) -> Result<Acquired, BackendError> {
        loop {
            if let Some(row) = self.take(key, lease).await? {
                return self.used(key, &row, touch).await.map(Acquired::Granted);
            }
            // Before the look, so that a lease that is given up after it is heard of.
            let wake = self.waiting.listen(key);
            match self.state(key).await? {
                Some(state) if state.is_kept => {
                    if state.is_held_by_another(lease) {
                        if let (false, Some(holder)) = (state.is_marked, &state.holder) {
                            // A holder that is not told keeps the lease for longer, and gives it up all the same.
                            let _ =
                                self.changed(&self.statements.mark, &[key.as_bytes().into(), holder[..].into()]).await;
                        }
                        let left = state.left;
                        let freed = Arc::clone(self).freed(*key, state, wake);
                        return Ok(Acquired::Busy(Box::pin(async move {
                            let _ = timeout(left, freed).await;
                        })));
                    }
                    // It was given up between the two statements.
                }
                _ => return Ok(Acquired::Absent),
            }
        }
    }

    /// Takes the lease if it is free, and reads the record.
    async fn take(self: &Arc<Self>, key: &RecordKey, lease: Lease) -> Result<Option<D::Row>, BackendError> {
        let holder = lease.holder.to_bytes();
        let call = || Call { key: *key, values: vec![OwnValue::Key(*key), OwnValue::Holder(holder), lease.ttl.into()] };
        let _place = match self.enter(batch::Purpose::Take, call).await {
            Entry::Done(row) => return Ok(row),
            Entry::Alone { place, .. } => place,
        };
        let result = Taking::begin(self, *key, lease).await?.result;
        if D::DIALECT.returning {
            Ok(result.rows.into_iter().next())
        } else if result.affected > 0 {
            self.row(&self.statements.load, &[key.as_bytes().into()]).await
        } else {
            Ok(None)
        }
    }

    /// Waits until a lease is over that was found so: hears it from this process, looks for it otherwise. One whose holder
    /// saves again and again is given up soon, now that he knows, and may be taken again before long.
    async fn freed(self: Arc<Self>, key: RecordKey, found: LeaseState, mut wake: Waiter) {
        let (mut pauses, mut version) = (Pauses::new(), found.version);
        while !wake.within(pauses.next()).await {
            match timeout(LOOK, self.state(&key)).await {
                Ok(Ok(Some(state))) if state.holder == found.holder => {
                    if state.version != version {
                        (pauses, version) = (Pauses::short(), state.version);
                    }
                }
                // It is another's now, or there is something wrong: asking for the lease will tell.
                _ => return,
            }
        }
    }

    pub(super) async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        let holder = lease.holder.to_bytes();
        let values = [lease.ttl.into(), key.as_bytes().into(), (&holder).into()];
        self.changed(&self.statements.extend, &values).await
    }

    pub(super) async fn save(
        self: &Arc<Self>,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        match self.store(After::GiveUp, key, lease, expected, record, touch).await? {
            Kept::Not(written) => Ok(written),
            Kept::Alone | Kept::Contended => Ok(Written::Done),
        }
    }

    pub(super) async fn save_and_keep(
        self: &Arc<Self>,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Kept, BackendError> {
        self.store(After::Keep, key, lease, expected, record, touch).await
    }

    /// Replaces the record under its lease.
    async fn store(
        self: &Arc<Self>,
        after: After,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Kept, BackendError> {
        let holder = lease.holder.to_bytes();
        let keep = keep(record.last_seen, record.expires, touch);
        let numbers = [version(record.version), record.last_seen.into(), record.expires.into(), keep.into()];
        let call = || {
            let mut values = vec![OwnValue::Key(*key), version(expected).into(), OwnValue::Holder(holder)];
            values.extend(numbers.map(OwnValue::from));
            let ttl = if after == After::Keep { lease.ttl.into() } else { OwnValue::Number(-1) };
            values.extend([OwnValue::Body(record.body.clone()), ttl]);
            Call { key: *key, values }
        };
        let (place, in_doubt) = match self.enter(batch::Purpose::Save, call).await {
            Entry::Done(row) => {
                let mark = row.and_then(|row| row.number(1).ok().flatten());
                return Ok(self.stored(after, key, mark == Some(1)));
            }
            Entry::Alone { place, repeated } => (place, repeated),
        };
        let (body, id) = (SqlValue::Bytes(&record.body), key.as_bytes().into());
        let mut values = numbers.to_vec();
        values.push(body);
        if after == After::Keep {
            values.push(lease.ttl.into());
        }
        values.extend([id, version(expected), (&holder).into()]);
        let statement = if after == After::Keep { &self.statements.keep } else { &self.statements.save };
        let outcome = self.run(Purpose::Write, statement, &values).await?;
        drop(place);
        let (result, repeated) = (outcome.result, outcome.repeated || in_doubt);
        if result.affected > 0 || !result.rows.is_empty() {
            let marked = result.rows.first().and_then(|row| row.number(0).ok().flatten());
            return Ok(self.stored(after, key, result.told == 1 || marked == Some(1)));
        }
        let is_stored = repeated && self.is_stored(key, &record).await?;
        if is_stored && after == After::GiveUp {
            return Ok(self.stored(after, key, false));
        }
        match self.state(key).await? {
            Some(state) if state.is_kept => {
                if is_stored && state.is_held_by(lease) {
                    return Ok(self.stored(after, key, state.is_marked));
                }
                if state.holder.as_deref() == Some(&holder) {
                    self.release(key, lease).await?;
                }
                Ok(Kept::Not(if is_stored { Written::Done } else { Written::Conflict }))
            }
            _ => Ok(Kept::Not(if is_stored { Written::Done } else { Written::Absent })),
        }
    }

    /// What becomes of the lease once the record is stored.
    fn stored(&self, after: After, key: &RecordKey, is_marked: bool) -> Kept {
        match after {
            After::GiveUp => {
                self.waiting.wake(key);
                Kept::Not(Written::Done)
            }
            After::Keep if is_marked => Kept::Contended,
            After::Keep => Kept::Alone,
        }
    }

    pub(super) async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        let holder = lease.holder.to_bytes();
        if self.changed(&self.statements.release, &[key.as_bytes().into(), (&holder).into()]).await? {
            self.waiting.wake(key);
        }
        Ok(())
    }
}
