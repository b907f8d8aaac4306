//! Exclusive use of the sessions in memory, and changes without it.

use super::{Memory, MemoryLease, Waiters};
use crate::backend::{
    Acquired, BackendError, CompareAndSet, KeepLease, Kept, Lease, Leases, Record, RecordKey, Touch, Written,
};

impl Leases for Memory {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        let mut shard = self.shard(key);
        let Some(entry) = shard.live(key, touch) else { return Ok(Acquired::Absent) };
        match &mut entry.lease {
            Some(held) if held.holder != lease.holder && lease.now < held.until => {
                let left = held.until.since(lease.now);
                let freed = held.freed.wait();
                Ok(Acquired::Busy(Box::pin(async move {
                    let _ = tokio::time::timeout(left, freed).await;
                })))
            }
            taken => {
                *taken = Some(Box::new(MemoryLease {
                    holder: lease.holder,
                    until: lease.now.plus(lease.ttl),
                    freed: Waiters::default(),
                }));
                Ok(Acquired::Granted(entry.touched(touch)))
            }
        }
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        let mut shard = self.shard(key);
        let held = shard.peek_mut(key).and_then(|entry| entry.lease.as_mut());
        Ok(match held {
            Some(held) if held.holder == lease.holder && lease.now < held.until => {
                held.until = lease.now.plus(lease.ttl);
                true
            }
            _ => false,
        })
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let mut shard = self.shard(key);
        let Some(entry) = shard.live(key, touch) else { return Ok(Written::Absent) };
        let Some(held) = entry.lease.take_if(|held| held.holder == lease.holder) else { return Ok(Written::Conflict) };
        if lease.now >= held.until || entry.record.version != expected {
            return Ok(Written::Conflict);
        }
        shard.replace(key, record);
        Ok(Written::Done)
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        let mut shard = self.shard(key);
        if let Some(entry) = shard.peek_mut(key) {
            entry.lease.take_if(|held| held.holder == lease.holder);
        }
        Ok(())
    }
}

impl KeepLease for Memory {
    async fn save_and_keep(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Kept, BackendError> {
        let mut shard = self.shard(key);
        let Some(entry) = shard.live(key, touch) else { return Ok(Kept::Not(Written::Absent)) };
        let Some(mut held) = entry.lease.take_if(|held| held.holder == lease.holder) else {
            return Ok(Kept::Not(Written::Conflict));
        };
        if lease.now >= held.until || entry.record.version != expected {
            return Ok(Kept::Not(Written::Conflict));
        }
        let is_contended = held.freed.is_waited_for();
        held.until = lease.now.plus(lease.ttl);
        entry.lease = Some(held);
        shard.replace(key, record);
        Ok(if is_contended { Kept::Contended } else { Kept::Alone })
    }
}

impl CompareAndSet for Memory {
    async fn compare_and_set(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let mut shard = self.shard(key);
        let Some(entry) = shard.live(key, touch) else { return Ok(Written::Absent) };
        let leased = entry.lease.as_ref().is_some_and(|held| touch.now < held.until);
        if leased || entry.record.version != expected {
            return Ok(Written::Conflict);
        }
        shard.replace(key, record);
        Ok(Written::Done)
    }
}
