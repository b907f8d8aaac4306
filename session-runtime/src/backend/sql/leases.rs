//! Exclusive use of a session in terms of statements.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::batch::{self, Call, Entry, OwnValue};
use super::driver::{Driver, SqlValue};
use super::store::{Purpose, SqlStore, keep, version};
use super::waiting::{Pauses, Waiter};
use crate::backend::{Acquired, BackendError, Lease, Record, RecordKey, Touch, Written};

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
                        let left = state.left;
                        let freed = Arc::clone(self).freed(*key, state.holder, wake);
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
        let values = [(&holder).into(), lease.ttl.into(), key.as_bytes().into(), (&holder).into()];
        let result = self.run(Purpose::Write, &self.statements.take, &values).await?.result;
        if D::DIALECT.returning {
            Ok(result.rows.into_iter().next())
        } else if result.affected > 0 {
            self.row(&self.statements.load, &[key.as_bytes().into()]).await
        } else {
            Ok(None)
        }
    }

    /// Waits until that holder's lease is over: hears it from this process, looks for it otherwise.
    async fn freed(self: Arc<Self>, key: RecordKey, holder: Option<Vec<u8>>, mut wake: Waiter) {
        let mut pauses = Pauses::new();
        while !wake.within(pauses.next()).await {
            match timeout(LOOK, self.state(&key)).await {
                Ok(Ok(Some(state))) if state.holder == holder => {}
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
        let holder = lease.holder.to_bytes();
        let keep = keep(record.last_seen, record.expires, touch);
        let numbers = [version(record.version), record.last_seen.into(), record.expires.into(), keep.into()];
        let call = || {
            let mut values = vec![OwnValue::Key(*key), version(expected).into(), OwnValue::Holder(holder)];
            values.extend(numbers.map(OwnValue::from));
            values.push(OwnValue::Body(record.body.clone()));
            Call { key: *key, values }
        };
        let (place, in_doubt) = match self.enter(batch::Purpose::Save, call).await {
            Entry::Done(_) => {
                self.waiting.wake(key);
                return Ok(Written::Done);
            }
            Entry::Alone { place, repeated } => (place, repeated),
        };
        let [number, last_seen, expires, keep] = numbers;
        let (body, id) = (SqlValue::Bytes(&record.body), key.as_bytes().into());
        let values = [number, last_seen, expires, keep, body, id, version(expected), (&holder).into()];
        let outcome = self.run(Purpose::Write, &self.statements.save, &values).await?;
        drop(place);
        let repeated = outcome.repeated || in_doubt;
        if outcome.result.affected > 0 || repeated && self.is_stored(key, &record).await? {
            self.waiting.wake(key);
            return Ok(Written::Done);
        }
        match self.state(key).await? {
            Some(state) if state.is_kept => {
                if state.holder.as_deref() == Some(&holder) {
                    self.release(key, lease).await?;
                }
                Ok(Written::Conflict)
            }
            _ => Ok(Written::Absent),
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
