//! Which sessions an owner has: a list in the store, beside the sessions themselves.

use std::collections::HashSet;
use std::time::Duration;

use bytes::{BufMut as _, Bytes};

use crate::backend::{Record, RecordKey, Touch};
use crate::clock::Timestamp;

/// The sessions of one owner, in the order in which they started.
///
/// Layout: one byte of format, then each session's key (32 bytes) and when it ends (eight bytes: milliseconds, big
/// endian).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OwnerIndex {
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: RecordKey,
    /// When the session ends however much it is used.
    pub(crate) expires: Timestamp,
}

impl OwnerIndex {
    const FORMAT: u8 = 1;
    const ENTRY: usize = 32 + 8;
    /// How long an empty book is kept. It is not removed: somebody may be about to write into it.
    const EMPTY: Duration = Duration::from_secs(60);
    /// From this size on a book is looked through for what has ended whenever it has doubled.
    const LARGE: usize = 16;

    /// `None` for what this version of the library did not write.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let (&Self::FORMAT, rest) = body.split_first()? else { return None };
        let (entries, []) = rest.as_chunks::<{ Self::ENTRY }>() else { return None };
        let entry = |bytes: &[u8; Self::ENTRY]| {
            let (key, expires) = bytes.split_first_chunk::<32>()?;
            let expires = Timestamp::from_millis(u64::from_be_bytes(expires.try_into().ok()?));
            Some(Entry { key: RecordKey::from_bytes(*key), expires })
        };
        Some(Self { entries: entries.iter().map(entry).collect::<Option<_>>()? })
    }

    fn write(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(1 + self.entries.len() * Self::ENTRY);
        bytes.put_u8(Self::FORMAT);
        for Entry { key, expires } in &self.entries {
            bytes.put_slice(key.as_bytes());
            bytes.put_u64(expires.as_millis());
        }
        bytes.into()
    }

    /// The record of this book. It is kept until the last of its sessions ends.
    pub(super) fn record(&self, version: u64, now: Timestamp) -> Record {
        let ends = self.entries.iter().map(|entry| entry.expires);
        let expires = ends.chain([now.plus(Self::EMPTY)]).max().unwrap_or(now);
        Record { version, last_seen: now, expires, body: self.write() }
    }

    /// Whether it may hold much that has ended.
    pub(super) fn is_due_for_a_look(&self) -> bool {
        self.entries.len() >= Self::LARGE && self.entries.len().is_power_of_two()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = RecordKey> {
        self.entries.iter().map(|entry| entry.key)
    }

    /// Strikes these sessions; `false` if none of them was there.
    pub(super) fn strike(&mut self, keys: &[RecordKey]) -> bool {
        let before = self.entries.len();
        let struck: HashSet<&RecordKey> = keys.iter().collect();
        self.entries.retain(|entry| !struck.contains(&entry.key));
        self.entries.len() < before
    }
}

/// The touch of a book: it is never idle. A book that has just expired may be written again, unless the store has
/// forgotten it by then, so that no two begin it anew at once.
pub(super) fn touch(now: Timestamp, stored: &Record) -> Touch {
    let last = Timestamp::from_millis(stored.expires.as_millis().saturating_sub(1));
    Touch { now: now.min(last), idle: Duration::MAX, expires: stored.expires }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u8, expires: u64) -> Entry {
        Entry { key: RecordKey::from_bytes([number; 32]), expires: Timestamp::from_secs(expires) }
    }

    #[test]
    fn a_book_is_read_as_it_was_written() {
        for entries in [vec![], vec![entry(1, 5)], vec![entry(2, 9), entry(1, u64::MAX / 1000)]] {
            let book = OwnerIndex { entries };
            assert_eq!(OwnerIndex::read(&book.record(1, Timestamp::from_secs(1)).body), Some(book));
        }
    }

    #[test]
    fn a_long_list_is_struck_in_linear_time() {
        let entry = |number: u32| {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            Entry { key: RecordKey::from_bytes(key), expires: Timestamp::from_secs(5) }
        };
        let mut book = OwnerIndex { entries: (0..100_000).map(entry).collect() };
        let keys: Vec<RecordKey> = book.keys().skip(1).collect();
        let started = std::time::Instant::now();
        assert!(book.strike(&keys));
        assert_eq!(book.entries, [entry(0)]);
        // Compared each with each it is five billion comparisons, which take minutes.
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }

    #[test]
    fn what_is_no_book_is_none() {
        let whole = OwnerIndex { entries: vec![entry(1, 5), entry(2, 5)] }.write();
        for length in (0..whole.len()).filter(|length| *length != 1 && *length != 41) {
            assert_eq!(OwnerIndex::read(&whole[..length]), None, "{length} bytes");
        }
        assert_eq!(OwnerIndex::read(&[2]), None, "another format");
    }

    #[test]
    fn a_book_lives_as_long_as_the_last_of_its_sessions() {
        let now = Timestamp::from_secs(1000);
        let record = OwnerIndex { entries: vec![entry(1, 9000), entry(2, 5000)] }.record(1, now);
        assert_eq!(record.expires, Timestamp::from_secs(9000));
        let empty = OwnerIndex::default().record(1, now);
        assert!(empty.expires > now && empty.expires < Timestamp::from_secs(2000));
        let late = touch(record.expires.plus(Duration::from_secs(5)), &record);
        assert!(late.is_live(&record, Duration::ZERO), "what has expired can be written again");
    }
}
