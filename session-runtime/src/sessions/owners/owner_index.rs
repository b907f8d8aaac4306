//! Which sessions an owner has: a list in the store, beside the sessions themselves.

use std::collections::HashSet;
use std::time::Duration;

use bytes::{BufMut as _, Bytes};

use crate::backend::{Record, RecordKey, Touch, touch_interval};
use crate::clock::Timestamp;

/// The sessions of one owner, in the order in which they started.
///
/// Layout: one byte of format; in the second format the moment from which on it is whole; then each session's key (32
/// bytes) and when it ends. A moment is eight bytes: milliseconds, big endian.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OwnerIndex {
    pub(super) entries: Vec<Entry>,
    /// `None` for one that has every session of its owner, as far as is known. A store that evicts may have lost it; then
    /// it has every session again once each that lives was used.
    pub(super) whole_from: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: RecordKey,
    /// When the session ends however much it is used.
    pub(crate) expires: Timestamp,
}

impl OwnerIndex {
    /// All that a list holds are its entries.
    const WHOLE: u8 = 1;
    /// The moment from which on it is whole stands before them.
    const PARTIAL: u8 = 2;
    const ENTRY: usize = 32 + 8;
    /// How long an empty book is kept. It is not removed: somebody may be about to write into it.
    const EMPTY: Duration = Duration::from_secs(60);
    /// From this size on a book is looked through for what has ended whenever it has doubled.
    const LARGE: usize = 16;

    /// `None` for what this version of the library did not write.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let (whole_from, rest) = match body.split_first()? {
            (&Self::WHOLE, rest) => (None, rest),
            (&Self::PARTIAL, rest) => {
                let (whole_from, rest) = rest.split_first_chunk::<8>()?;
                (Some(Timestamp::from_millis(u64::from_be_bytes(*whole_from))), rest)
            }
            _ => return None,
        };
        let (entries, []) = rest.as_chunks::<{ Self::ENTRY }>() else { return None };
        let entry = |bytes: &[u8; Self::ENTRY]| {
            let (key, expires) = bytes.split_first_chunk::<32>()?;
            let expires = Timestamp::from_millis(u64::from_be_bytes(expires.try_into().ok()?));
            Some(Entry { key: RecordKey::from_bytes(*key), expires })
        };
        Some(Self { entries: entries.iter().map(entry).collect::<Option<_>>()?, whole_from })
    }

    /// Once it is whole again it is written as one that was never lost.
    fn write(&self, now: Timestamp) -> Bytes {
        let mut bytes = Vec::with_capacity(1 + 8 + self.entries.len() * Self::ENTRY);
        match self.whole_from.filter(|_| !self.is_whole(now)) {
            None => bytes.put_u8(Self::WHOLE),
            Some(whole_from) => {
                bytes.put_u8(Self::PARTIAL);
                bytes.put_u64(whole_from.as_millis());
            }
        }
        for Entry { key, expires } in &self.entries {
            bytes.put_slice(key.as_bytes());
            bytes.put_u64(expires.as_millis());
        }
        bytes.into()
    }

    /// The record of this book. It is kept until the last of its sessions ends, and while it may not be whole.
    pub(super) fn record(&self, version: u64, now: Timestamp) -> Record {
        let ends = self.entries.iter().map(|entry| entry.expires);
        let expires = ends.chain(self.whole_from).chain([now.plus(Self::EMPTY)]).max().unwrap_or(now);
        Record { version, last_seen: now, expires, body: self.write(now) }
    }

    /// Whether it has every session of its owner, as far as is known.
    pub(super) fn is_whole(&self, now: Timestamp) -> bool {
        self.whole_from.is_none_or(|whole_from| whole_from <= now)
    }

    /// Notes that it was lost, and so may lack sessions of this idle timeout. It has each again that is used; one whose
    /// use is not noted, since another was shortly before, lives no longer than this.
    pub(super) fn was_lost(&mut self, now: Timestamp, idle: Duration) {
        self.whole_from = Some(now.plus(idle).plus(touch_interval(idle) * 2));
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

/// Whether a record is an owner's list and not a session. A session's could be read as one by chance: then its entries would
/// not end before the record does.
pub(crate) fn is_owner_index(record: &Record) -> bool {
    let read = OwnerIndex::read(&record.body);
    read.is_some_and(|book| book.entries.iter().all(|entry| entry.expires <= record.expires))
}

/// The sessions in an owner's list, and from when on it has all of them; `None` for a record that is none.
#[cfg(feature = "inspect")]
pub(crate) fn listed_keys(record: &Record) -> Option<(Vec<RecordKey>, Option<Timestamp>)> {
    is_owner_index(record)
        .then(|| OwnerIndex::read(&record.body).map(|book| (book.keys().collect(), book.whole_from)))?
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
            for whole_from in [None, Some(Timestamp::from_secs(7))] {
                let book = OwnerIndex { entries: entries.clone(), whole_from };
                assert_eq!(OwnerIndex::read(&book.record(1, Timestamp::from_secs(1)).body), Some(book));
            }
        }
    }

    #[test]
    fn a_long_list_is_struck_in_linear_time() {
        let entry = |number: u32| {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            Entry { key: RecordKey::from_bytes(key), expires: Timestamp::from_secs(5) }
        };
        let mut book = OwnerIndex { entries: (0..100_000).map(entry).collect(), whole_from: None };
        let keys: Vec<RecordKey> = book.keys().skip(1).collect();
        let started = std::time::Instant::now();
        assert!(book.strike(&keys));
        assert_eq!(book.entries, [entry(0)]);
        // Compared each with each it is five billion comparisons, which take minutes.
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }

    #[test]
    fn what_is_no_book_is_none() {
        for (whole_from, header) in [(None, 1), (Some(Timestamp::from_secs(7)), 9)] {
            let book =
                OwnerIndex { entries: vec![entry(1, 5), entry(2, 5)], whole_from }.write(Timestamp::from_secs(0));
            for length in (0..book.len()).filter(|length| ![header, header + 40].contains(length)) {
                assert_eq!(OwnerIndex::read(&book[..length]), None, "{length} bytes");
            }
        }
        assert_eq!(OwnerIndex::read(&[3]), None, "another format");
    }

    #[test]
    fn a_book_that_was_lost_is_whole_again_when_no_session_can_live_that_was_not_used_since() {
        let (now, idle) = (Timestamp::from_secs(1000), Duration::from_secs(1600));
        let mut book = OwnerIndex::default();
        assert!(book.is_whole(now));
        book.was_lost(now, idle);
        assert!(!book.is_whole(now.plus(idle)));
        assert!(book.is_whole(now.plus(idle + touch_interval(idle) * 2)));
        let [lost, later] = [now, now.plus(idle + touch_interval(idle) * 2)].map(|now| book.record(1, now).body[0]);
        assert_eq!([lost, later], [OwnerIndex::PARTIAL, OwnerIndex::WHOLE], "then every release can read it");
        let record = book.record(1, now);
        assert!(record.expires > now.plus(idle), "the store keeps it for as long, whatever is in it");
    }

    #[test]
    fn a_book_lives_as_long_as_the_last_of_its_sessions() {
        let now = Timestamp::from_secs(1000);
        let record = OwnerIndex { entries: vec![entry(1, 9000), entry(2, 5000)], whole_from: None }.record(1, now);
        assert_eq!(record.expires, Timestamp::from_secs(9000));
        let empty = OwnerIndex::default().record(1, now);
        assert!(empty.expires > now && empty.expires < Timestamp::from_secs(2000));
        let late = touch(record.expires.plus(Duration::from_secs(5)), &record);
        assert!(late.is_live(&record, Duration::ZERO), "what has expired can be written again");
    }
}
