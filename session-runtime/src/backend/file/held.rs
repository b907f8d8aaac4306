//! The leases of this process: each an open file with a lock on it, free for all when it is closed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::opened::{FileId, OpenedFile};
use crate::backend::{Holder, Lease};
use crate::clock::Timestamp;
use crate::id::RecordKey;

/// A lease of this process, and what is known of its file: only whoever has the lock on that writes who holds the lease and
/// until when, so neither is read again while it has its name.
#[derive(Clone)]
pub(super) struct HeldLease {
    pub(super) file: Arc<File>,
    pub(super) id: FileId,
    pub(super) until: Timestamp,
    holder: Holder,
}

impl HeldLease {
    /// The lease that has been written into this file.
    pub(super) fn new(lease: Lease, OpenedFile { file, id, length: _ }: OpenedFile) -> Self {
        Self { file: Arc::new(file), id, until: lease.now.plus(lease.ttl), holder: lease.holder }
    }

    /// Whether it is this one, and has not run out.
    pub(super) fn is_current(&self, lease: Lease) -> bool {
        self.holder == lease.holder && lease.now < self.until
    }
}

#[derive(Default)]
pub(super) struct HeldLeases(Mutex<HashMap<RecordKey, HeldLease>>);

impl HeldLeases {
    fn leases(&self) -> MutexGuard<'_, HashMap<RecordKey, HeldLease>> {
        // Nothing can panic under the lock, so it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, key: &RecordKey, lease: HeldLease) {
        let before = self.leases().insert(*key, lease);
        drop(before);
    }

    /// The holder's lease, which stays among those that are held.
    pub(super) fn get(&self, key: &RecordKey, holder: Holder) -> Option<HeldLease> {
        self.leases().get(key).filter(|held| held.holder == holder).cloned()
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.leases().len()
    }

    /// The holder's lease, no longer among those that are held: whoever has it gives it up by dropping it.
    pub(super) fn take(&self, key: &RecordKey, holder: Holder) -> Option<HeldLease> {
        match self.leases().entry(*key) {
            Entry::Occupied(held) if held.get().holder == holder => Some(held.remove()),
            Entry::Occupied(_) | Entry::Vacant(_) => None,
        }
    }

    /// The holder's lease runs out at that time from now on.
    pub(super) fn extend(&self, key: &RecordKey, holder: Holder, until: Timestamp) {
        if let Some(held) = self.leases().get_mut(key).filter(|held| held.holder == holder) {
            held.until = until;
        }
    }

    /// The holder's lease is this one from now on, and the file of the one before is closed. If it was given up meanwhile, this
    /// one is.
    pub(super) fn replace(&self, key: &RecordKey, lease: HeldLease) {
        let mut closing = lease;
        if let Some(held) = self.leases().get_mut(key).filter(|held| held.holder == closing.holder) {
            std::mem::swap(held, &mut closing);
        }
    }
}
