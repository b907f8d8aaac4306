//! A backend whose type is forgotten, so that `Sessions<User>` names no store.

use std::any::type_name;
use std::fmt;
#[cfg(feature = "metrics")]
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{
    Acquired, Backend, BackendError, CompareAndSet, KeepLease, Kept, Lease, Leases, List, ListCursor, ListPage,
    ListedRecord, Record, RecordKey, Sweep, Touch, Watch, Written,
};
use crate::clock::Timestamp;
#[cfg(feature = "metrics")]
use crate::timers::StoreTimer;

type BackendFuture<'a, T> = BoxFuture<'a, Result<T, BackendError>>;

/// A call to a store, timed where the feature `metrics` is on.
#[cfg(feature = "metrics")]
async fn timed<T>(
    backend: fn() -> &'static str,
    operation: &'static str,
    call: impl Future<Output = Result<T, BackendError>>,
) -> Result<T, BackendError> {
    let mut timer = StoreTimer::start(backend(), operation);
    let answer = call.await;
    timer.answered(answer.is_ok());
    answer
}

#[cfg(not(feature = "metrics"))]
fn timed<F>(_: fn() -> &'static str, _: &'static str, call: F) -> F {
    call
}

/// What a backend can do beyond [`Backend`].
#[derive(Clone, Default)]
pub struct Capabilities {
    leases: Option<Arc<dyn ErasedLeases>>,
    keep_lease: Option<Arc<dyn ErasedKeepLease>>,
    compare_and_set: Option<Arc<dyn ErasedCompareAndSet>>,
    sweep: Option<Arc<dyn ErasedSweep>>,
    watch: Option<Arc<dyn ErasedWatch>>,
    list: Option<Arc<dyn ErasedList>>,
}

impl Capabilities {
    /// Nothing beyond.
    pub fn none() -> Self {
        Self::default()
    }

    /// And exclusive leases.
    #[must_use]
    pub fn leases<B: Leases>(self, backend: &Arc<B>) -> Self {
        Self { leases: Some(Arc::clone(backend) as _), ..self }
    }

    /// And leases that are kept over a save.
    #[must_use]
    pub fn keep_lease<B: KeepLease>(self, backend: &Arc<B>) -> Self {
        Self { keep_lease: Some(Arc::clone(backend) as _), ..self }
    }

    /// And changes without a lease.
    #[must_use]
    pub fn compare_and_set<B: CompareAndSet>(self, backend: &Arc<B>) -> Self {
        Self { compare_and_set: Some(Arc::clone(backend) as _), ..self }
    }

    /// And sweeping.
    #[must_use]
    pub fn sweep<B: Sweep>(self, backend: &Arc<B>) -> Self {
        Self { sweep: Some(Arc::clone(backend) as _), ..self }
    }

    /// And watching.
    #[must_use]
    pub fn watch<B: Watch>(self, backend: &Arc<B>) -> Self {
        Self { watch: Some(Arc::clone(backend) as _), ..self }
    }

    /// And listing.
    #[must_use]
    pub fn list<B: List>(self, backend: &Arc<B>) -> Self {
        Self { list: Some(Arc::clone(backend) as _), ..self }
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capabilities")
            .field("leases", &self.leases.is_some())
            .field("keep_lease", &self.keep_lease.is_some())
            .field("compare_and_set", &self.compare_and_set.is_some())
            .field("sweep", &self.sweep.is_some())
            .field("watch", &self.watch.is_some())
            .field("list", &self.list.is_some())
            .finish()
    }
}

/// Any backend, with its capabilities.
#[derive(Clone)]
pub(crate) struct Store {
    backend: Arc<dyn ErasedBackend>,
    capabilities: Capabilities,
}

impl Store {
    pub(crate) fn new<B: Backend>(backend: Arc<B>) -> Self {
        Self { capabilities: backend.capabilities(), backend }
    }

    /// Where the backend is: types that share one have the same.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.backend).addr()
    }

    pub(crate) fn backend(&self) -> &dyn ErasedBackend {
        &*self.backend
    }

    pub(crate) fn leases(&self) -> Option<&dyn ErasedLeases> {
        self.capabilities.leases.as_deref()
    }

    pub(crate) fn keeping(&self) -> Option<&dyn ErasedKeepLease> {
        self.capabilities.keep_lease.as_deref()
    }

    pub(crate) fn comparing(&self) -> Option<&dyn ErasedCompareAndSet> {
        self.capabilities.compare_and_set.as_deref()
    }

    pub(crate) fn sweeping(&self) -> Option<&dyn ErasedSweep> {
        self.capabilities.sweep.as_deref()
    }

    pub(crate) fn watching(&self) -> Option<&dyn ErasedWatch> {
        self.capabilities.watch.as_deref()
    }

    pub(crate) fn listing(&self) -> Option<&dyn ErasedList> {
        self.capabilities.list.as_deref()
    }
}

/// [`Backend`] with its futures boxed.
pub(crate) trait ErasedBackend: Send + Sync {
    fn create<'a>(&'a self, key: &'a RecordKey, record: Record, touch: Touch) -> BackendFuture<'a, bool>;
    fn load<'a>(&'a self, key: &'a RecordKey, touch: Touch) -> BackendFuture<'a, Option<Record>>;
    fn peek<'a>(&'a self, key: &'a RecordKey) -> BackendFuture<'a, Option<Record>>;
    fn update<'a>(
        &'a self,
        key: &'a RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> BackendFuture<'a, Written>;
    fn delete<'a>(&'a self, key: &'a RecordKey) -> BackendFuture<'a, bool>;
    fn idle_slack(&self, idle: Duration) -> Duration;
}

impl<B: Backend> ErasedBackend for B {
    fn create<'a>(&'a self, key: &'a RecordKey, record: Record, touch: Touch) -> BackendFuture<'a, bool> {
        Box::pin(timed(type_name::<B>, "create", Backend::create(self, key, record, touch)))
    }

    fn load<'a>(&'a self, key: &'a RecordKey, touch: Touch) -> BackendFuture<'a, Option<Record>> {
        Box::pin(timed(type_name::<B>, "load", Backend::load(self, key, touch)))
    }

    fn peek<'a>(&'a self, key: &'a RecordKey) -> BackendFuture<'a, Option<Record>> {
        Box::pin(timed(type_name::<B>, "peek", Backend::peek(self, key)))
    }

    fn update<'a>(
        &'a self,
        key: &'a RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> BackendFuture<'a, Written> {
        Box::pin(timed(type_name::<B>, "update", Backend::update(self, key, expected, record, touch)))
    }

    fn delete<'a>(&'a self, key: &'a RecordKey) -> BackendFuture<'a, bool> {
        Box::pin(timed(type_name::<B>, "delete", Backend::delete(self, key)))
    }

    fn idle_slack(&self, idle: Duration) -> Duration {
        Backend::idle_slack(self, idle)
    }
}

/// [`Leases`] with its futures boxed.
pub(crate) trait ErasedLeases: Send + Sync {
    fn acquire<'a>(&'a self, key: &'a RecordKey, lease: Lease, touch: Touch) -> BackendFuture<'a, Acquired>;
    fn extend<'a>(&'a self, key: &'a RecordKey, lease: Lease) -> BackendFuture<'a, bool>;
    fn save<'a>(
        &'a self,
        key: &'a RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> BackendFuture<'a, Written>;
    fn release<'a>(&'a self, key: &'a RecordKey, lease: Lease) -> BackendFuture<'a, ()>;
}

impl<B: Leases> ErasedLeases for B {
    fn acquire<'a>(&'a self, key: &'a RecordKey, lease: Lease, touch: Touch) -> BackendFuture<'a, Acquired> {
        Box::pin(timed(type_name::<B>, "acquire", Leases::acquire(self, key, lease, touch)))
    }

    fn extend<'a>(&'a self, key: &'a RecordKey, lease: Lease) -> BackendFuture<'a, bool> {
        Box::pin(timed(type_name::<B>, "extend", Leases::extend(self, key, lease)))
    }

    fn save<'a>(
        &'a self,
        key: &'a RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> BackendFuture<'a, Written> {
        Box::pin(timed(type_name::<B>, "save", Leases::save(self, key, lease, expected, record, touch)))
    }

    fn release<'a>(&'a self, key: &'a RecordKey, lease: Lease) -> BackendFuture<'a, ()> {
        Box::pin(timed(type_name::<B>, "release", Leases::release(self, key, lease)))
    }
}

/// [`KeepLease`] with its future boxed.
pub(crate) trait ErasedKeepLease: Send + Sync {
    fn save_and_keep<'a>(
        &'a self,
        key: &'a RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> BackendFuture<'a, Kept>;
}

impl<B: KeepLease> ErasedKeepLease for B {
    fn save_and_keep<'a>(
        &'a self,
        key: &'a RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> BackendFuture<'a, Kept> {
        let call = KeepLease::save_and_keep(self, key, lease, expected, record, touch);
        Box::pin(timed(type_name::<B>, "save_and_keep", call))
    }
}

/// [`CompareAndSet`] with its future boxed.
pub(crate) trait ErasedCompareAndSet: Send + Sync {
    fn compare_and_set<'a>(
        &'a self,
        key: &'a RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> BackendFuture<'a, Written>;
}

impl<B: CompareAndSet> ErasedCompareAndSet for B {
    fn compare_and_set<'a>(
        &'a self,
        key: &'a RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> BackendFuture<'a, Written> {
        let call = CompareAndSet::compare_and_set(self, key, expected, record, touch);
        Box::pin(timed(type_name::<B>, "compare_and_set", call))
    }
}

/// [`Sweep`] with its future boxed.
pub(crate) trait ErasedSweep: Send + Sync {
    fn sweep(&self, now: Timestamp, limit: usize) -> BackendFuture<'_, usize>;
    fn expired(&self, now: Timestamp, limit: usize) -> BackendFuture<'_, Option<Vec<ListedRecord>>>;
    fn forget<'a>(&'a self, now: Timestamp, keys: &'a [RecordKey]) -> BackendFuture<'a, usize>;
}

impl<B: Sweep> ErasedSweep for B {
    fn sweep(&self, now: Timestamp, limit: usize) -> BackendFuture<'_, usize> {
        Box::pin(timed(type_name::<B>, "sweep", Sweep::sweep(self, now, limit)))
    }

    fn expired(&self, now: Timestamp, limit: usize) -> BackendFuture<'_, Option<Vec<ListedRecord>>> {
        Box::pin(timed(type_name::<B>, "expired", Sweep::expired(self, now, limit)))
    }

    fn forget<'a>(&'a self, now: Timestamp, keys: &'a [RecordKey]) -> BackendFuture<'a, usize> {
        Box::pin(timed(type_name::<B>, "forget", Sweep::forget(self, now, keys)))
    }
}

/// [`Watch`] with its future boxed.
pub(crate) trait ErasedWatch: Send + Sync {
    fn watch<'a>(&'a self, key: &'a RecordKey) -> BackendFuture<'a, BoxFuture<'static, ()>>;
}

impl<B: Watch> ErasedWatch for B {
    fn watch<'a>(&'a self, key: &'a RecordKey) -> BackendFuture<'a, BoxFuture<'static, ()>> {
        Box::pin(timed(type_name::<B>, "watch", Watch::watch(self, key)))
    }
}

/// [`List`] with its future boxed.
pub(crate) trait ErasedList: Send + Sync {
    fn list<'a>(&'a self, after: Option<&'a ListCursor>, limit: usize) -> BackendFuture<'a, ListPage>;
}

impl<B: List> ErasedList for B {
    fn list<'a>(&'a self, after: Option<&'a ListCursor>, limit: usize) -> BackendFuture<'a, ListPage> {
        Box::pin(timed(type_name::<B>, "list", List::list(self, after, limit)))
    }
}
