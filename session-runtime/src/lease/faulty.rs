//! For tests: a store in memory whose saves do as a test says.

use std::future::Future;
use std::sync::Arc;

use crate::backend::{
    Acquired, Backend, BackendError, Capabilities, KeepLease, Kept, Lease, Leases, Memory, Record, RecordKey, Touch,
    Written,
};

/// What becomes of saves.
pub(super) trait Saves: Send + Sync + 'static {
    /// A save, and whether it is to keep the lease. One that is not answers [`Kept::Not`].
    fn save(
        &self,
        memory: &Memory,
        save: Save<'_>,
        keeps: bool,
    ) -> impl Future<Output = Result<Kept, BackendError>> + Send;

    /// What is waited for before a lease is asked for.
    fn before_acquire(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// A save as the runtime asks for it.
pub(super) struct Save<'a> {
    pub(super) key: &'a RecordKey,
    pub(super) lease: Lease,
    pub(super) expected: u64,
    pub(super) record: Record,
    pub(super) touch: Touch,
}

impl Save<'_> {
    /// As it should be.
    pub(super) async fn run(self, memory: &Memory, keeps: bool) -> Result<Kept, BackendError> {
        let Self { key, lease, expected, record, touch } = self;
        match keeps {
            true => memory.save_and_keep(key, lease, expected, record, touch).await,
            false => memory.save(key, lease, expected, record, touch).await.map(Kept::Not),
        }
    }
}

#[derive(Default)]
pub(super) struct Faulty<S> {
    pub(super) memory: Memory,
    pub(super) saves: S,
}

impl<S: Saves> Backend for Faulty<S> {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        self.memory.create(key, record, touch).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        self.memory.load(key, touch).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        self.memory.peek(key).await
    }

    async fn update(&self, key: &RecordKey, at: u64, record: Record, touch: Touch) -> Result<Written, BackendError> {
        self.memory.update(key, at, record, touch).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        self.memory.delete(key).await
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).keep_lease(self)
    }
}

impl<S: Saves> Leases for Faulty<S> {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        self.saves.before_acquire().await;
        self.memory.acquire(key, lease, touch).await
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        self.memory.extend(key, lease).await
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let save = Save { key, lease, expected, record, touch };
        match self.saves.save(&self.memory, save, false).await? {
            Kept::Not(written) => Ok(written),
            Kept::Alone | Kept::Contended => Err(BackendError::new("the lease was not to be kept")),
        }
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        self.memory.release(key, lease).await
    }
}

impl<S: Saves> KeepLease for Faulty<S> {
    async fn save_and_keep(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Kept, BackendError> {
        self.saves.save(&self.memory, Save { key, lease, expected, record, touch }, true).await
    }
}
