//! Sessions in this process's memory.

mod leases;
mod listing;
mod sweep;
mod table;

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use self::table::Table;
use super::{
    Backend, BackendError, Capabilities, Holder, OpenBackend, OpenError, Record, RecordKey, Scope, Touch, Watch,
    Written,
};
use crate::clock::Timestamp;
use crate::id::RecordKeyHashes;

/// Sessions in this process's memory: fast, bounded, gone when the process ends. The default.
///
/// When it is full the session that was idle longest makes room. One lock guards one shard of the
/// sessions, never all of them, and expired sessions leave in small batches. Which sessions an owner has
/// is kept besides, and doesn't count: a small record for each owner with sessions.
pub struct Memory {
    shards: Box<[Shard]>,
}

/// The arguments of `backend = memory(...)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryConfig {
    /// How many sessions it holds at most (default: 100,000).
    pub capacity: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { capacity: 100_000 }
    }
}

type Shard = Mutex<Entries>;

struct Entries {
    /// In the order of their last use: what has to leave, by number or by age, is found from the oldest on.
    by_use: Table,
    /// The shortest idle timeout of any: what was used later than that has not expired, nor has what comes after it in
    /// that order.
    shortest: Duration,
    /// What never idles out, and makes room for nobody.
    kept: Records,
}

/// Records, and when each expires.
#[derive(Default)]
struct Records {
    entries: HashMap<RecordKey, MemoryEntry, RecordKeyHashes>,
    by_end: BTreeSet<(Timestamp, RecordKey)>,
}

struct MemoryEntry {
    record: Record,
    /// The idle timeout of its own type, in milliseconds: others share the store.
    idle: u64,
    lease: Option<Box<MemoryLease>>,
    /// Rung when the entry goes, for whatever reason: the session ended, expired or made room.
    gone: Waiters,
}

/// Those who wait for something to go; made by the first of them.
#[derive(Default)]
struct Waiters(Option<Arc<Notify>>);

impl Waiters {
    fn wait(&mut self) -> OwnedNotified {
        Arc::clone(self.0.get_or_insert_default()).notified_owned()
    }

    /// Whether somebody waits, and has not left.
    fn is_waited_for(&self) -> bool {
        self.0.as_ref().is_some_and(|waiting| Arc::strong_count(waiting) > 1)
    }
}

impl Drop for Waiters {
    fn drop(&mut self) {
        if let Some(waiting) = &self.0 {
            waiting.notify_waiters();
        }
    }
}

struct MemoryLease {
    holder: Holder,
    until: Timestamp,
    /// Rung however the lease ends: given up, lapsed, its session ended or forgotten.
    freed: Waiters,
}

impl Memory {
    /// Room for this many sessions.
    pub fn new(capacity: NonZeroUsize) -> Self {
        // A small memory is one shard, so that its bound and its order are exact.
        let shards = if capacity.get() < 1024 { 1 } else { 16 };
        let share = |shard| capacity.get() / shards + usize::from(shard < capacity.get() % shards);
        let shard = |shard| Entries::new(NonZeroUsize::new(share(shard)).unwrap_or(NonZeroUsize::MIN));
        Self { shards: (0..shards).map(|number| Mutex::new(shard(number))).collect() }
    }

    fn shard(&self, key: &RecordKey) -> MutexGuard<'_, Entries> {
        lock(&self.shards[usize::from(key.as_bytes()[0]) % self.shards.len()])
    }

    /// How many records it holds, expired ones included.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
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

fn lock(shard: &Shard) -> MutexGuard<'_, Entries> {
    // No user code runs under the lock, so what a panic left behind is whole.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Records {
    fn insert(&mut self, key: RecordKey, entry: MemoryEntry) {
        self.by_end.insert((entry.record.expires, key));
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &RecordKey) -> Option<MemoryEntry> {
        let entry = self.entries.remove(key)?;
        self.by_end.remove(&(entry.record.expires, *key));
        Some(entry)
    }

    /// Those that have expired.
    fn expired(&self, now: Timestamp) -> impl Iterator<Item = RecordKey> {
        self.by_end.iter().take_while(move |(expires, _)| *expires <= now).map(|(_, key)| *key)
    }
}

impl Entries {
    fn new(capacity: NonZeroUsize) -> Self {
        Self { by_use: Table::new(capacity), shortest: Duration::MAX, kept: Records::default() }
    }

    fn len(&self) -> usize {
        self.by_use.len() + self.kept.entries.len()
    }

    fn insert(&mut self, key: RecordKey, entry: MemoryEntry) {
        if entry.never_idles() {
            self.kept.insert(key, entry);
        } else {
            self.shortest = self.shortest.min(entry.idle());
            self.by_use.insert(key, entry);
        }
    }

    fn remove(&mut self, key: &RecordKey) -> Option<MemoryEntry> {
        self.by_use.remove(key).or_else(|| self.kept.remove(key))
    }

    /// The entry under a key, expired or not. Nothing is noted.
    fn peek(&self, key: &RecordKey) -> Option<&MemoryEntry> {
        self.by_use.peek(key).or_else(|| self.kept.entries.get(key))
    }

    fn peek_mut(&mut self, key: &RecordKey) -> Option<&mut MemoryEntry> {
        self.by_use.peek_mut(key).or_else(|| self.kept.entries.get_mut(key))
    }

    /// The live entry under a key, now the one that was used last. An expired one waits for the sweep, which may have to
    /// tell of it; a list of sessions makes room for the next one at once.
    fn live(&mut self, key: &RecordKey, touch: Touch) -> Option<&mut MemoryEntry> {
        let found = self.peek(key)?;
        if !touch.is_live(&found.record, Duration::ZERO) {
            if found.never_idles() {
                self.remove(key);
            }
            return None;
        }
        if found.idle != millis(touch.idle) {
            // Used by another timeout than before: its place may be another.
            let moved = MemoryEntry { idle: millis(touch.idle), ..self.remove(key)? };
            self.insert(*key, moved);
        }
        match self.by_use.get_mut(key) {
            Some(entry) => Some(entry),
            None => self.kept.entries.get_mut(key),
        }
    }

    /// Puts a record in the place of the one under the key.
    fn replace(&mut self, key: &RecordKey, record: Record) {
        if let Some(entry) = self.by_use.peek_mut(key) {
            entry.record = record;
        } else if let Some(entry) = self.kept.remove(key) {
            self.kept.insert(*key, MemoryEntry { record, ..entry });
        }
    }

    /// The keys of at most `limit` records that have expired.
    fn expired(&self, now: Timestamp, limit: usize) -> Vec<RecordKey> {
        let shortest = self.shortest;
        let old = |(_, entry): &(&RecordKey, &MemoryEntry)| {
            now.since(entry.record.last_seen) >= shortest || now >= entry.record.expires
        };
        let expired = self.by_use.oldest_first().take_while(old).filter(|(_, entry)| entry.has_expired(now));
        expired.map(|(key, _)| *key).chain(self.kept.expired(now)).take(limit).collect()
    }

    /// Removes at most `limit` records that have expired.
    fn forget_expired(&mut self, now: Timestamp, limit: usize) -> usize {
        let expired = self.expired(now, limit);
        expired.iter().for_each(|key| drop(self.remove(key)));
        expired.len()
    }
}

/// An idle timeout in milliseconds, not less than it is.
fn millis(idle: Duration) -> u64 {
    u64::try_from(idle.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

impl MemoryEntry {
    fn new(record: Record, idle: Duration) -> Self {
        Self { record, idle: millis(idle), lease: None, gone: Waiters::default() }
    }

    fn idle(&self) -> Duration {
        if self.never_idles() { Duration::MAX } else { Duration::from_millis(self.idle) }
    }

    fn never_idles(&self) -> bool {
        self.idle == u64::MAX
    }

    /// The record as it was, and this entry touched.
    fn touched(&mut self, touch: Touch) -> Record {
        let before = self.record.clone();
        self.record.last_seen = touch.now;
        before
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        !Touch { now, idle: self.idle(), expires: self.record.expires }.is_live(&self.record, Duration::ZERO)
    }
}

impl Backend for Memory {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let mut shard = self.shard(key);
        if shard.peek(key).is_some() {
            return Ok(false);
        }
        shard.insert(*key, MemoryEntry::new(record, touch.idle));
        Ok(true)
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        Ok(self.shard(key).live(key, touch).map(|entry| entry.touched(touch)))
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        Ok(self.shard(key).peek(key).map(|entry| entry.record.clone()))
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let mut shard = self.shard(key);
        Ok(match shard.live(key, touch) {
            None => Written::Absent,
            Some(entry) if entry.record.version != expected => Written::Conflict,
            Some(_) => {
                shard.replace(key, record);
                Written::Done
            }
        })
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        Ok(self.shard(key).remove(key).is_some())
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).keep_lease(self).compare_and_set(self).sweep(self).watch(self).list(self)
    }
}

impl Watch for Memory {
    async fn watch(&self, key: &RecordKey) -> Result<BoxFuture<'static, ()>, BackendError> {
        Ok(match self.shard(key).peek_mut(key) {
            Some(entry) => Box::pin(entry.gone.wait()),
            None => Box::pin(std::future::ready(())),
        })
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
