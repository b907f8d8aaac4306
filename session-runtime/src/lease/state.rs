//! What has become of a lease.

use std::sync::atomic::{AtomicBool, Ordering};

use super::StoreClient;
use crate::backend::RecordKey;
use crate::error::Error;
use crate::telemetry;

/// What has become of a lease, as far as those who use it and their keepers know.
#[derive(Default)]
pub(crate) struct LeaseState {
    /// It is another's, or has run out. It stays lost, and is told once.
    lost: AtomicBool,
    /// No change will be stored under it, and whoever stores one is told why: the session has ended, or a save of the batch
    /// has failed.
    refused: AtomicBool,
}

impl LeaseState {
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_lost() || self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    pub(super) fn lose(&self, client: &StoreClient, key: &RecordKey) {
        if !self.lost.swap(true, Ordering::Relaxed) {
            telemetry::lease_lost(client.session_type, key);
        }
    }
}

/// Why a save was refused: another write came first, or none did, and the lease had run out.
pub(super) async fn why_refused(client: &StoreClient, key: &RecordKey, state: &LeaseState, expected: u64) -> Error {
    let unchanged = match client.quietly(client.store.backend().peek(key)).await {
        Ok(Some(record)) => record.version == expected,
        Ok(None) => return Error::Ended,
        Err(_) => state.is_lost(),
    };
    if unchanged {
        state.lose(client, key);
    }
    if unchanged { Error::LeaseLost } else { Error::Conflict }
}
