//! Sessions by name and in the order of their last use.
//!
//! There may be hundreds of thousands, most of them small, so what one takes beside its data counts: name, record and place
//! in the order are one slot of a vector, and the table from names to slots has four bytes for each. A slot that becomes
//! free is taken by the next session. The names are hashes already, so a name folded to eight bytes is as good as a hash of it.

use std::num::NonZeroUsize;

use hashbrown::HashTable;

use super::{MemoryEntry, RecordKey};

/// The place of no slot.
const NONE: u32 = u32::MAX;

/// A bounded number of sessions: the one that was used longest ago makes room.
pub(super) struct Table {
    by_name: HashTable<u32>,
    slots: Vec<Slot>,
    capacity: usize,
    newest: u32,
    oldest: u32,
    /// The first free slot; each has the next one in `older`.
    free: u32,
}

struct Slot {
    key: RecordKey,
    /// `None` in a free slot.
    entry: Option<MemoryEntry>,
    newer: u32,
    older: u32,
}

impl Table {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        let capacity = capacity.get().min(NONE as usize);
        Self { by_name: HashTable::new(), slots: Vec::new(), capacity, newest: NONE, oldest: NONE, free: NONE }
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    fn find(&self, key: &RecordKey) -> Option<u32> {
        self.by_name.find(key.folded(), |at| self.slots[*at as usize].key == *key).copied()
    }

    /// The session under a name. Its place in the order stays.
    pub(super) fn peek(&self, key: &RecordKey) -> Option<&MemoryEntry> {
        self.slots[self.find(key)? as usize].entry.as_ref()
    }

    /// The same, to change it.
    pub(super) fn peek_mut(&mut self, key: &RecordKey) -> Option<&mut MemoryEntry> {
        let at = self.find(key)?;
        self.slots[at as usize].entry.as_mut()
    }

    /// The session under a name, which is now the one that was used last.
    pub(super) fn get_mut(&mut self, key: &RecordKey) -> Option<&mut MemoryEntry> {
        let at = self.find(key)?;
        if at != self.newest {
            self.unlink(at);
            self.link(at);
        }
        self.slots[at as usize].entry.as_mut()
    }

    /// Adds a session, or puts it in the place of the one under its name, as the one that was used last.
    pub(super) fn insert(&mut self, key: RecordKey, entry: MemoryEntry) {
        self.remove(&key);
        if self.len() >= self.capacity
            && let Some(oldest) = self.slots.get(self.oldest as usize).map(|slot| slot.key)
        {
            self.remove(&oldest);
        }
        let slot = Slot { key, entry: Some(entry), newer: NONE, older: NONE };
        let at = self.free;
        let at = if let Some(free) = self.slots.get_mut(at as usize) {
            self.free = free.older;
            *free = slot;
            at
        } else {
            self.slots.push(slot);
            // There are never more slots than the capacity, which is less than `NONE`.
            u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
        };
        let slots = &self.slots;
        self.by_name.insert_unique(key.folded(), at, |at| slots[*at as usize].key.folded());
        self.link(at);
    }

    pub(super) fn remove(&mut self, key: &RecordKey) -> Option<MemoryEntry> {
        let slots = &self.slots;
        let found = self.by_name.find_entry(key.folded(), |at| slots[*at as usize].key == *key).ok()?;
        let (at, _) = found.remove();
        self.unlink(at);
        let slot = &mut self.slots[at as usize];
        slot.older = self.free;
        self.free = at;
        slot.entry.take()
    }

    /// The sessions, from the one that was used longest ago on.
    pub(super) fn oldest_first(&self) -> impl Iterator<Item = (&RecordKey, &MemoryEntry)> {
        let slot = |at: u32| self.slots.get(at as usize);
        let slots = std::iter::successors(slot(self.oldest), move |one| slot(one.newer));
        slots.filter_map(|slot| Some((&slot.key, slot.entry.as_ref()?)))
    }

    /// Makes a slot that is not in the order the newest.
    fn link(&mut self, at: u32) {
        let newest = std::mem::replace(&mut self.newest, at);
        let slot = &mut self.slots[at as usize];
        (slot.newer, slot.older) = (NONE, newest);
        match self.slots.get_mut(newest as usize) {
            Some(before) => before.newer = at,
            None => self.oldest = at,
        }
    }

    /// Takes a slot out of the order.
    fn unlink(&mut self, at: u32) {
        let Slot { newer, older, .. } = self.slots[at as usize];
        match self.slots.get_mut(newer as usize) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lru::LruCache;
    use proptest::prelude::*;

    use super::*;
    use crate::backend::Record;
    use crate::clock::Timestamp;

    fn key(number: u8) -> RecordKey {
        let mut key = [number; 32];
        // Many of one hash, as no real names have.
        key[8..16].fill(number % 3);
        RecordKey::from_bytes(key)
    }

    fn entry(version: u64) -> MemoryEntry {
        let moment = Timestamp::from_secs(1);
        MemoryEntry::new(
            Record { version, last_seen: moment, expires: moment, body: Default::default() },
            Duration::MAX,
        )
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Insert(u8),
        Remove(u8),
        Get(u8),
        Peek(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        (0..4u8, 0..12u8).prop_map(|(what, number)| match what {
            0 => Step::Remove(number),
            1 => Step::Get(number),
            2 => Step::Peek(number),
            _ => Step::Insert(number),
        })
    }

    proptest! {
        #[test]
        fn it_holds_what_a_list_in_the_order_of_use_holds(
            capacity in 1..9usize,
            steps in proptest::collection::vec(step(), 0..200),
        ) {
            let capacity = NonZeroUsize::new(capacity).unwrap();
            let (mut table, mut model) = (Table::new(capacity), LruCache::new(capacity));
            for (version, step) in (0..).zip(steps) {
                match step {
                    Step::Insert(number) => {
                        table.insert(key(number), entry(version));
                        model.push(key(number), version);
                    }
                    Step::Remove(number) => {
                        let removed = table.remove(&key(number)).map(|entry| entry.record.version);
                        prop_assert_eq!(removed, model.pop(&key(number)));
                    }
                    Step::Get(number) => {
                        let got = table.get_mut(&key(number)).map(|entry| entry.record.version);
                        prop_assert_eq!(got, model.get(&key(number)).copied());
                    }
                    Step::Peek(number) => {
                        let seen = table.peek_mut(&key(number)).map(|entry| entry.record.version);
                        prop_assert_eq!(seen, model.peek(&key(number)).copied());
                    }
                }
                let order: Vec<_> = table.oldest_first().map(|(key, entry)| (*key, entry.record.version)).collect();
                let expected: Vec<_> = model.iter().rev().map(|(key, version)| (*key, *version)).collect();
                prop_assert_eq!(&order, &expected);
                prop_assert!(order.iter().all(|(key, _)| table.peek(key).is_some()));
                prop_assert!(table.len() == order.len() && table.slots.len() <= capacity.get());
            }
        }
    }

    #[test]
    fn a_session_takes_120_bytes_beside_its_data_and_its_place_in_the_table() {
        assert_eq!(size_of::<Slot>(), 120);
    }
}
