//! Extending a lease while its handler runs.

use std::sync::Arc;
use std::time::Duration;

use super::{LeaseState, StoreClient};
use crate::backend::{Holder, Lease, RecordKey};

/// Keeps a lease from running out.
pub(crate) struct LeaseKeeper {
    pub(super) client: Arc<StoreClient>,
    pub(super) key: RecordKey,
    pub(super) holder: Holder,
    pub(super) ttl: Duration,
    pub(super) state: Arc<LeaseState>,
}

impl LeaseKeeper {
    /// How often [`LeaseKeeper::extend`] is due.
    pub(crate) fn every(&self) -> Duration {
        self.ttl / 3
    }

    /// Extends the lease. A lost lease stays lost: the save will be refused. That is told once, and not where the
    /// session has ended, which is told by itself.
    pub(crate) async fn extend(&self) {
        let Some(leases) = self.client.store.leases().filter(|_| !self.state.is_over()) else { return };
        let lease = Lease { holder: self.holder, ttl: self.ttl, now: self.client.now() };
        match self.client.within(leases.extend(&self.key, lease)).await {
            Ok(true) | Err(_) => {}
            Ok(false) => match self.client.quietly(self.client.store.backend().peek(&self.key)).await {
                Ok(None) => self.state.refuse(),
                Ok(Some(_)) | Err(_) => self.state.lose(&self.client, &self.key),
            },
        }
    }
}
