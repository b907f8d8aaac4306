//! Sessions in this process's memory.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::sync::Notify;

use super::{
    Acquired, Backend, BackendError, Capabilities, Holder, Key, Lease, Leases, OpenBackend, OpenError, Record, Scope,
    Sweep, Touch, Written,
};
use crate::clock::Timestamp;

/// Sessions in this process's memory: fast, bounded, gone when the process ends. The default.
///
/// When it is full the session that was idle longest makes room. One lock guards one shard of the
/// sessions, never all of them, and expired sessions leave in small batches.
pub struct Memory {
    shards: Box<[Shard]>,
}

/// The arguments of `backend = memory(...)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryConfig {
    /// How many sessions it holds at the most: 100,000 unless told.
    pub capacity: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { capacity: 100_000 }
    }
}

/// Sessions in the order of their last use: the end of the list is idle longest, so what has to
/// leave, by number or by age, is always found there.
type Shard = Mutex<LruCache<Key, Entry>>;

struct Entry {
    record: Record,
    lease: Option<Held>,
}

struct Held {
    holder: Holder,
    until: Timestamp,
    /// Made by the first who has to wait.
    freed: Option<Arc<Notify>>,
}

impl Drop for Held {
    /// However the lease ends (given up, lapsed, its session ended or forgotten), who waits looks again.
    fn drop(&mut self) {
        if let Some(freed) = &self.freed {
            freed.notify_waiters();
        }
    }
}

impl Memory {
    /// Room for this many sessions.
    pub fn new(capacity: NonZeroUsize) -> Self {
        // A small memory is one shard, so that its bound and its order are exact.
        let shards = if capacity.get() < 1024 { 1 } else { 16 };
        let share = |shard| capacity.get() / shards + usize::from(shard < capacity.get() % shards);
        let shard = |shard| Mutex::new(LruCache::new(NonZeroUsize::new(share(shard)).unwrap_or(NonZeroUsize::MIN)));
        Self { shards: (0..shards).map(shard).collect() }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, LruCache<Key, Entry>> {
        let shard = &self.shards[usize::from(key.as_bytes()[0]) % self.shards.len()];
        // No user code runs under the lock, so what a panic left behind is whole.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many records it holds, expired ones included.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Whether it holds no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(NonZeroUsize::new(MemoryConfig::default().capacity).unwrap_or(NonZeroUsize::MIN))
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("len", &self.len()).finish()
    }
}

/// The live entry under a key; an expired one is removed on the way.
fn live<'a>(shard: &'a mut LruCache<Key, Entry>, key: &Key, touch: Touch) -> Option<&'a mut Entry> {
    if !touch.is_live(&shard.peek(key)?.record, Duration::ZERO) {
        shard.pop(key);
        return None;
    }
    shard.get_mut(key)
}

/// The record as it was, and the entry touched.
fn touched(entry: &mut Entry, touch: Touch) -> Record {
    let before = entry.record.clone();
    entry.record.last_seen = touch.now;
    before
}

impl Backend for Memory {
    async fn create(&self, key: &Key, record: Record, _: Touch) -> Result<bool, BackendError> {
        let mut shard = self.shard(key);
        if shard.contains(key) {
            return Ok(false);
        }
        shard.push(*key, Entry { record, lease: None });
        Ok(true)
    }

    async fn load(&self, key: &Key, touch: Touch) -> Result<Option<Record>, BackendError> {
        Ok(live(&mut self.shard(key), key, touch).map(|entry| touched(entry, touch)))
    }

    async fn peek(&self, key: &Key) -> Result<Option<Record>, BackendError> {
        Ok(self.shard(key).peek(key).map(|entry| entry.record.clone()))
    }

    async fn update(&self, key: &Key, expected: u64, record: Record, touch: Touch) -> Result<Written, BackendError> {
        Ok(match live(&mut self.shard(key), key, touch) {
            None => Written::Absent,
            Some(entry) if entry.record.version != expected => Written::Conflict,
            Some(entry) => {
                entry.record = record;
                Written::Done
            }
        })
    }

    async fn delete(&self, key: &Key) -> Result<bool, BackendError> {
        Ok(self.shard(key).pop(key).is_some())
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).sweep(self)
    }
}

impl Leases for Memory {
    async fn acquire(&self, key: &Key, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        let mut shard = self.shard(key);
        let Some(entry) = live(&mut shard, key, touch) else { return Ok(Acquired::Absent) };
        match &mut entry.lease {
            Some(held) if held.holder != lease.holder && lease.now < held.until => {
                let left = held.until.since(lease.now);
                let freed = Arc::clone(held.freed.get_or_insert_default()).notified_owned();
                Ok(Acquired::Busy(Box::pin(async move {
                    let _ = tokio::time::timeout(left, freed).await;
                })))
            }
            taken => {
                *taken = Some(Held { holder: lease.holder, until: lease.now.plus(lease.ttl), freed: None });
                Ok(Acquired::Granted(touched(entry, touch)))
            }
        }
    }

    async fn extend(&self, key: &Key, lease: Lease) -> Result<bool, BackendError> {
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
        key: &Key,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let mut shard = self.shard(key);
        let Some(entry) = live(&mut shard, key, touch) else { return Ok(Written::Absent) };
        let Some(held) = entry.lease.take_if(|held| held.holder == lease.holder) else { return Ok(Written::Conflict) };
        let written = if lease.now < held.until && entry.record.version == expected {
            entry.record = record;
            Written::Done
        } else {
            Written::Conflict
        };
        Ok(written)
    }

    async fn release(&self, key: &Key, lease: Lease) -> Result<(), BackendError> {
        let mut shard = self.shard(key);
        if let Some(entry) = shard.peek_mut(key) {
            entry.lease.take_if(|held| held.holder == lease.holder);
        }
        Ok(())
    }
}

impl Sweep for Memory {
    async fn sweep(&self, now: Timestamp, idle: Duration, limit: usize) -> Result<usize, BackendError> {
        let mut swept = 0;
        for shard in &self.shards {
            // The lock is taken anew for each record: nobody waits for a sweep.
            while swept < limit {
                let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
                let expired = |(_, entry): (&Key, &Entry)| {
                    !Touch { now, idle, expires: entry.record.expires }.is_live(&entry.record, Duration::ZERO)
                };
                if !shard.peek_lru().is_some_and(expired) {
                    break;
                }
                shard.pop_lru();
                swept += 1;
            }
        }
        Ok(swept)
    }
}

impl OpenBackend for Memory {
    type Config = MemoryConfig;

    async fn open(config: MemoryConfig, _: &Scope) -> Result<Self, OpenError> {
        let capacity = NonZeroUsize::new(config.capacity).ok_or_else(|| {
            OpenError::option("backend = memory(capacity)", None, "is 0; leave room for one session at least")
        })?;
        Ok(Self::new(capacity))
    }
}
