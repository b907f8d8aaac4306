//! Whether this process may have written a session since it was read, so that one request need not read it twice.
//!
//! Sessions share counters, by a byte of their names: a write of another session costs a read at worst, and nothing has to
//! be kept for each session or removed again.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::RecordKey;

const COUNTERS: usize = 256;

/// How often sessions were written.
pub(crate) struct Writes([AtomicU64; COUNTERS]);

impl Default for Writes {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; COUNTERS])
    }
}

impl Writes {
    fn counter(&self, key: &RecordKey) -> &AtomicU64 {
        &self.0[usize::from(key.as_bytes()[0])]
    }

    /// To be taken before a session is read. As long as it stays the same, this process has not written the session.
    pub(super) fn count(&self, key: &RecordKey) -> u64 {
        self.counter(key).load(Ordering::Acquire)
    }

    /// To be held while a session is written, whatever comes of that.
    pub(super) fn begin(&self, key: &RecordKey) -> Writing<'_> {
        Writing(self.counter(key))
    }
}

/// A write under way. It counts when this is dropped, so that a write that is given up counts, too.
pub(crate) struct Writing<'a>(&'a AtomicU64);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}
