//! Records that this process has read, for as long as Redis would say that they have changed.
//!
//! The connection that reads them has `CLIENT TRACKING` switched on: Redis notes each key that it reads by `GET`, and sends a
//! message on the same connection once somebody changes it. An answer with what was stored before a change comes before the
//! message of that change, so whoever sees no message between asking and storing has the newest. What was asked for on a
//! connection that is gone is never stored.
//!
//! A connection can die without a word, and then nothing is heard of changes. So an answer is given only if the connection was
//! alive not long ago: it has answered something that was asked within the bound. While records are read from here, it is
//! asked for a sign of life a few times within each bound.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use redis::{Cmd, PushInfo, PushKind, Value, cmd};

use super::connection::{Live, Shared};
use super::heartbeat::pause;
use crate::backend::Record;
use crate::id::{RecordKey, RecordKeyHashes};

/// How many records are kept; those that are not read make room.
const CAPACITY: usize = 10_000;
const SHARDS: usize = 64;
/// How often within the bound a connection is asked for a sign of life.
const BEATS: u32 = 4;

pub(super) struct NearCache {
    /// For how long a record may be answered that has changed, at most.
    bound: Duration,
    /// What the name of a record begins with.
    prefix: Vec<u8>,
    records: Cache<RecordKey, Record, UnitWeighter, RecordKeyHashes>,
    /// How often something was heard of the records of each shard. While one is locked, nothing of it is stored or removed.
    changes: [Mutex<u64>; SHARDS],
    /// The connection by which changes are heard, by its number and one; 0: there is none.
    connection: AtomicU64,
    /// When the connection was asked last what it has answered since, in microseconds.
    proved: AtomicU64,
    begun: Instant,
    /// Whether somebody has read since the last beat.
    is_used: AtomicBool,
}

/// What was heard before a record is asked for.
#[derive(Clone, Copy)]
pub(super) struct Reading(u64);

impl NearCache {
    pub(super) fn new(bound: Duration, prefix: &str) -> Self {
        Self {
            bound,
            prefix: [prefix.as_bytes(), b"{"].concat(),
            records: Cache::with(
                CAPACITY,
                CAPACITY as u64,
                UnitWeighter,
                RecordKeyHashes::default(),
                DefaultLifecycle::default(),
            ),
            changes: std::array::from_fn(|_| Mutex::default()),
            connection: AtomicU64::new(0),
            proved: AtomicU64::new(0),
            begun: Instant::now(),
            is_used: AtomicBool::new(false),
        }
    }

    fn micros(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.begun).as_micros()).unwrap_or(u64::MAX)
    }

    fn changes(&self, key: &RecordKey) -> MutexGuard<'_, u64> {
        self.changes[usize::from(key.as_bytes()[2]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record, if it is known and a change of it would have been heard.
    pub(super) fn get(&self, key: &RecordKey) -> Option<Record> {
        if !self.is_used.load(Ordering::Relaxed) {
            self.is_used.store(true, Ordering::Relaxed);
        }
        let is_heard = self.connection.load(Ordering::Acquire) != 0;
        let silence = self.micros(Instant::now()).saturating_sub(self.proved.load(Ordering::Acquire));
        (is_heard && u128::from(silence) < self.bound.as_micros()).then(|| self.records.get(key)).flatten()
    }

    /// To be called before a record is asked for.
    pub(super) fn begin(&self, key: &RecordKey) -> Reading {
        Reading(*self.changes(key))
    }

    /// Keeps what was answered, if nothing was heard of it meanwhile.
    pub(super) fn keep(&self, key: &RecordKey, reading: Reading, record: &Record) {
        let changes = self.changes(key);
        if *changes == reading.0 && self.connection.load(Ordering::Acquire) != 0 {
            self.records.insert(*key, record.clone());
        }
    }

    /// Forgets a record, and what is being read of it.
    pub(super) fn forget(&self, key: &RecordKey) {
        let mut changes = self.changes(key);
        *changes += 1;
        self.records.remove(key);
    }

    fn forget_all(&self) {
        // What is being read is not stored later, and then what has been stored goes.
        for changes in &self.changes {
            *changes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
        self.records.clear();
    }

    /// A message from Redis: keys have changed, or all may have.
    pub(super) fn hear(&self, push: &PushInfo) {
        match (&push.kind, push.data.as_slice()) {
            (PushKind::Invalidate, [Value::Array(names)]) => {
                names.iter().filter_map(|name| self.key(name)).for_each(|key| self.forget(&key));
            }
            // Which connection has ended is not said; another one may be in use by now.
            (PushKind::Invalidate | PushKind::Disconnection, _) => self.forget_all(),
            _ => {}
        }
    }

    /// The record of this name.
    fn key(&self, name: &Value) -> Option<RecordKey> {
        let Value::BulkString(name) = name else { return None };
        RecordKey::from_text(name.strip_prefix(&self.prefix[..])?.strip_suffix(b"}")?)
    }

    /// Changes are heard on this connection from now on.
    pub(super) fn open(&self, number: u64, asked: Instant) {
        self.connection.store(0, Ordering::Release);
        self.forget_all();
        self.proved.store(self.micros(asked), Ordering::Release);
        self.connection.store(number.saturating_add(1), Ordering::Release);
    }

    /// No changes are heard any more on this connection. Another one may be open by now.
    pub(super) fn close(&self, number: u64) {
        let this = number.saturating_add(1);
        let _ = self.connection.compare_exchange(this, 0, Ordering::AcqRel, Ordering::Acquire);
        self.forget_all();
    }

    /// The connection has answered what it was asked at this moment.
    pub(super) fn prove(&self, number: u64, asked: Instant) {
        if self.connection.load(Ordering::Acquire) == number.saturating_add(1) {
            self.proved.fetch_max(self.micros(asked), Ordering::AcqRel);
        }
    }
}

/// The command by which Redis tells on a connection what changes of all that is read on it.
pub(super) fn tracking() -> Cmd {
    let mut tracking = cmd("CLIENT");
    tracking.arg("TRACKING").arg("ON");
    tracking
}

/// Asks a connection for signs of life, while records are read that were heard of by it.
pub(super) async fn beat(shared: Weak<Shared>, live: Weak<Live>, near: Arc<NearCache>) {
    loop {
        pause(near.bound / BEATS).await;
        let (Some(shared), Some(live)) = (shared.upgrade(), live.upgrade()) else { return };
        if !shared.is_current(&live) {
            return;
        }
        if !near.is_used.swap(false, Ordering::Relaxed) {
            continue;
        }
        let asked = Instant::now();
        match live.is_alive(shared.probe_limit(), shared.connector()).await {
            Ok(()) => near.prove(live.number(), asked),
            Err(error) => return shared.give_up_silent(&live, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::clock::Timestamp;

    const BOUND: Duration = Duration::from_secs(600);

    fn key(number: u8) -> RecordKey {
        RecordKey::from_bytes([number; 32])
    }

    fn record(version: u64) -> Record {
        let body = Bytes::from_static(b"x");
        Record { version, last_seen: Timestamp::from_millis(0), expires: Timestamp::from_millis(1), body }
    }

    fn invalidate(names: Value) -> PushInfo {
        PushInfo { kind: PushKind::Invalidate, data: vec![names] }
    }

    fn name(key: &RecordKey) -> Value {
        Value::BulkString(format!("shop:{{{key}}}").into_bytes())
    }

    fn open(bound: Duration) -> NearCache {
        let near = NearCache::new(bound, "shop:");
        near.open(7, Instant::now());
        near
    }

    #[test]
    fn what_was_read_is_known_until_something_is_heard_of_it() {
        let near = open(BOUND);
        for number in [1, 2] {
            near.keep(&key(number), near.begin(&key(number)), &record(1));
        }
        near.hear(&invalidate(Value::Array(vec![name(&key(1)), Value::Nil, Value::BulkString(b"else".to_vec())])));
        assert!(near.get(&key(1)).is_none());
        assert_eq!(near.get(&key(2)).unwrap().version, 1);
        near.hear(&invalidate(Value::Nil));
        assert!(near.get(&key(2)).is_none(), "everything may have changed");
    }

    #[test]
    fn an_answer_that_was_overtaken_is_not_kept() {
        let near = open(BOUND);
        let overtaken: [&dyn Fn(); 4] = [
            &|| near.hear(&invalidate(Value::Array(vec![name(&key(1))]))),
            &|| near.hear(&invalidate(Value::Nil)),
            &|| near.forget(&key(1)),
            &|| near.open(8, Instant::now()),
        ];
        for change in overtaken {
            let reading = near.begin(&key(1));
            change();
            near.keep(&key(1), reading, &record(1));
            assert!(near.get(&key(1)).is_none());
        }
    }

    #[test]
    fn nothing_is_answered_unless_the_connection_was_alive_within_the_bound() {
        let near = open(Duration::ZERO);
        near.keep(&key(1), near.begin(&key(1)), &record(1));
        assert!(near.get(&key(1)).is_none());
        let near = open(BOUND);
        near.keep(&key(1), near.begin(&key(1)), &record(1));
        near.hear(&PushInfo { kind: PushKind::Disconnection, data: Vec::new() });
        assert!(near.get(&key(1)).is_none());
        near.close(6);
        near.keep(&key(1), near.begin(&key(1)), &record(1));
        assert!(near.get(&key(1)).is_some(), "another connection has ended");
        near.close(7);
        near.keep(&key(1), near.begin(&key(1)), &record(1));
        assert!(near.get(&key(1)).is_none(), "there is no connection");
        near.prove(7, Instant::now());
        assert!(near.get(&key(1)).is_none(), "another connection proves nothing");
    }
}
