//! The leases of this process: each an open file with a lock on it, free for all when it is closed.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::backend::Holder;
use crate::id::RecordKey;

#[derive(Default)]
pub(super) struct HeldLeases(Mutex<HashMap<RecordKey, (Holder, File)>>);

impl HeldLeases {
    fn leases(&self) -> MutexGuard<'_, HashMap<RecordKey, (Holder, File)>> {
        // Nothing can panic under the lock, so it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, key: &RecordKey, holder: Holder, file: File) {
        let before = self.leases().insert(*key, (holder, file));
        drop(before);
    }

    pub(super) fn has(&self, key: &RecordKey, holder: Holder) -> bool {
        self.leases().get(key).is_some_and(|held| held.0 == holder)
    }

    /// The holder's lease, no longer among those that are held: whoever has it gives it up by dropping it.
    pub(super) fn take(&self, key: &RecordKey, holder: Holder) -> Option<File> {
        let mut leases = self.leases();
        if leases.get(key)?.0 != holder {
            return None;
        }
        leases.remove(key).map(|(_, file)| file)
    }

    /// The holder's lease is this file from now on, and the one before is closed. If it was given up meanwhile, this one is.
    pub(super) fn replace(&self, key: &RecordKey, holder: Holder, file: File) {
        let mut closing = file;
        if let Some((_, held)) = self.leases().get_mut(key).filter(|held| held.0 == holder) {
            std::mem::swap(held, &mut closing);
        }
    }
}
