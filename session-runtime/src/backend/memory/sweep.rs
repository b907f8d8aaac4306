//! Removing what has expired from memory.

use super::{BackendError, Memory, RecordKey, Timestamp, lock};
use crate::backend::{ListedRecord, Sweep};

/// How many records are removed at most while others wait for the lock.
const BATCH: usize = 64;

impl Sweep for Memory {
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, BackendError> {
        let mut swept = 0;
        for shard in &self.shards {
            // The lock is taken anew for each batch: nobody waits for a sweep.
            loop {
                let batch = BATCH.min(limit - swept);
                let removed = lock(shard).forget_expired(now, batch);
                swept += removed;
                if removed < BATCH {
                    break;
                }
            }
        }
        Ok(swept)
    }
    async fn expired(&self, now: Timestamp, limit: usize) -> Result<Option<Vec<ListedRecord>>, BackendError> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            let keys = shard.expired(now, BATCH.min(limit - found.len()));
            let listed = |key| Some(ListedRecord { key, record: Some(shard.peek(&key)?.record.clone()) });
            found.extend(keys.into_iter().filter_map(listed));
        }
        Ok(Some(found))
    }

    async fn forget(&self, now: Timestamp, keys: &[RecordKey]) -> Result<usize, BackendError> {
        let forget = |key| {
            let mut shard = self.shard(key);
            let has_expired = shard.peek(key).is_some_and(|entry| entry.has_expired(now));
            has_expired && shard.remove(key).is_some()
        };
        Ok(keys.iter().filter(|key| forget(key)).count())
    }
}
