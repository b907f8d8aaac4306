//! A store as the suite asks it: through two handles, at times that the suite chooses.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{IDLE, LIFETIME};
use crate::backend::{
    Acquired, Backend, BackendError, Holder, Kept, Lease, ListCursor, ListPage, ListedRecord, Record, RecordKey, Store,
    Touch, Written,
};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::testing::ManualClock;

/// Two handles on one store, as two processes would have them.
///
/// Each behaviour of the suite takes one, and counts on being alone with an empty store that has room for a
/// hundred records: give it a folder, a table or a server of its own, and let [`keeping`](Pair::keeping) hold what has to live as long.
///
/// ```
/// use std::sync::Arc;
/// use session_runtime::{backend::Memory, testing::Pair};
///
/// Pair::shared(Memory::default()); // a store that lives in one process
/// # let [one, other] = [(); 2].map(|()| Arc::new(Memory::default()));
/// # let folder = ();
/// Pair::new(one, other).keeping(folder); // two connections, removed before the folder is
/// ```
#[derive(Clone)]
pub struct Pair {
    pub(super) one: StoreHandle,
    pub(super) other: StoreHandle,
    /// `None` where the store has a clock of its own.
    clock: Option<ManualClock>,
    patience: Duration,
    /// Declared last: what is kept is dropped after the handles.
    kept: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Pair {
    /// Two handles that were opened on the same store.
    pub fn new<B: Backend>(one: Arc<B>, other: Arc<B>) -> Self {
        let patience = Duration::from_secs(30);
        let [one, other] = [one, other].map(|backend| StoreHandle { store: Store::new(backend), patience });
        Self { one, other, clock: Some(ManualClock::new()), patience, kept: Vec::new() }
    }

    /// One handle, used twice: for a store that lives in this process.
    pub fn shared<B: Backend>(store: B) -> Self {
        let store = Arc::new(store);
        Self::new(Arc::clone(&store), store)
    }

    /// Says that the store goes by a clock of its own, as a server that forgets by itself does. The suite then
    /// waits where it would have turned the clock that [`Touch::now`] and [`Lease::now`] are read from.
    #[must_use]
    pub fn real_time(self) -> Self {
        Self { clock: None, ..self }
    }

    /// Holds a value for as long as the store is in use: its folder, its server.
    #[must_use]
    pub fn keeping(mut self, value: impl Any + Send + Sync) -> Self {
        self.kept.push(Arc::new(value));
        self
    }

    /// How long a behaviour waits for what has to come, before it fails: 30 seconds by default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        (self.patience, self.one.patience, self.other.patience) = (patience, patience, patience);
        self
    }

    /// One handle goes away.
    pub(super) fn without_one(self) -> Self {
        Self { one: self.other.clone(), ..self }
    }

    /// The handles in turn.
    pub(super) fn side(&self, number: usize) -> &StoreHandle {
        if number.is_multiple_of(2) { &self.one } else { &self.other }
    }

    pub(super) fn is_real_time(&self) -> bool {
        self.clock.is_none()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.as_ref().map_or_else(|| SystemClock.now(), ManualClock::now)
    }

    /// Lets time go by.
    pub(super) async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }

    /// Whether so much time may have gone by: on a machine that was busy elsewhere it has, and nothing
    /// can be told from what a store did meanwhile.
    pub(super) fn may_have_passed(&self, time: Duration, since: Timestamp) -> bool {
        const ROUNDING: Duration = Duration::from_millis(5);
        self.now().plus(ROUNDING).since(since) >= time
    }

    /// Awaits what has to come.
    pub(super) async fn within<F: Future>(&self, what: &str, future: F) -> F::Output {
        within(self.patience, what, future).await
    }

    /// Asks again and again until it is so.
    pub(super) async fn until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let repeat = async {
            while !condition().await {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        self.within(what, repeat).await;
    }

    /// A use at this moment.
    pub(super) fn touch(&self) -> Touch {
        let now = self.now();
        Touch { now, idle: IDLE, expires: now.plus(LIFETIME) }
    }

    /// Any bytes are a body: a zero, a line's end, what is no UTF-8.
    pub(super) fn record(&self, version: u64, text: &str) -> Record {
        let body = [b"\0\r\n\xff\xfe".as_slice(), text.as_bytes()].concat();
        let now = self.now();
        Record { version, last_seen: now, expires: now.plus(LIFETIME), body: body.into() }
    }

    pub(super) fn lease(&self, holder: Holder, ttl: Duration) -> Lease {
        Lease { holder, ttl, now: self.now() }
    }

    /// A record that is stored.
    pub(super) async fn created(&self) -> (RecordKey, Record) {
        let (key, record) = (key(), self.record(1, "first"));
        assert!(self.one.create(&key, record.clone(), self.touch()).await, "nothing is stored under a new key");
        (key, record)
    }

    /// What is stored now, as far as writes decide it.
    pub(super) async fn stored(&self, side: &StoreHandle, key: &RecordKey) -> Option<(u64, Vec<u8>)> {
        side.load(key, self.touch()).await.map(|record| (record.version, record.body.to_vec()))
    }

    /// Takes a lease that is free.
    pub(super) async fn granted(&self, side: &StoreHandle, key: &RecordKey, holder: Holder, ttl: Duration) -> Record {
        match side.acquire(key, self.lease(holder, ttl), self.touch()).await {
            Acquired::Granted(record) => record,
            Acquired::Busy(_) => panic!("the lease is free, and is said to be somebody else's"),
            Acquired::Absent => panic!("the record is there, and is said to be absent"),
        }
    }

    /// What wakes who waits, if the lease is somebody else's.
    pub(super) async fn busy(
        &self,
        side: &StoreHandle,
        key: &RecordKey,
        lease: Lease,
    ) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        match side.acquire(key, lease, self.touch()).await {
            Acquired::Busy(freed) => Some(freed),
            _ => None,
        }
    }

    /// Asks until the lease is granted or the record is gone, as the runtime does.
    pub(super) async fn waited(
        &self,
        side: &StoreHandle,
        key: &RecordKey,
        holder: Holder,
        ttl: Duration,
    ) -> Option<Record> {
        let wait = async {
            loop {
                match side.acquire(key, self.lease(holder, ttl), self.touch()).await {
                    Acquired::Granted(record) => return Some(record),
                    Acquired::Absent => return None,
                    Acquired::Busy(freed) => freed.await,
                }
            }
        };
        self.within("the lease is granted to who waits for it", wait).await
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("real_time", &self.is_real_time()).finish_non_exhaustive()
    }
}

async fn within<F: Future>(limit: Duration, what: &str, future: F) -> F::Output {
    match tokio::time::timeout(limit, future).await {
        Ok(output) => output,
        Err(_) => panic!("gave up after {limit:?}: {what}"),
    }
}

/// A key that nobody has used.
pub(super) fn key() -> RecordKey {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = crate::id::random::<32>();
    bytes[24..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    RecordKey::from_bytes(bytes)
}

const LEASES: &str = "`capabilities` says that the store has leases";
const KEEP_LEASE: &str = "`capabilities` says that the store can keep a lease";
const COMPARE_AND_SET: &str = "`capabilities` says that the store can compare and set";
const SWEEP: &str = "`capabilities` says that the store can be swept";
const WATCH: &str = "`capabilities` says that the store can be watched";
const LIST: &str = "`capabilities` says that the store can be listed";

/// A handle on the store, which has to answer.
#[derive(Clone)]
pub(super) struct StoreHandle {
    pub(super) store: Store,
    patience: Duration,
}

impl StoreHandle {
    async fn answer<T>(&self, what: &str, call: impl Future<Output = Result<T, BackendError>>) -> T {
        match within(self.patience, what, call).await {
            Ok(answer) => answer,
            Err(error) => panic!("the store is there, and `{what}` failed: {error}"),
        }
    }

    pub(super) async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> bool {
        self.answer("create", self.store.backend().create(key, record, touch)).await
    }

    pub(super) async fn load(&self, key: &RecordKey, touch: Touch) -> Option<Record> {
        self.answer("load", self.store.backend().load(key, touch)).await
    }

    pub(super) async fn peek(&self, key: &RecordKey) -> Option<Record> {
        self.answer("peek", self.store.backend().peek(key)).await
    }

    pub(super) async fn update(&self, key: &RecordKey, expected: u64, record: Record, touch: Touch) -> Written {
        self.answer("update", self.store.backend().update(key, expected, record, touch)).await
    }

    pub(super) async fn delete(&self, key: &RecordKey) -> bool {
        self.answer("delete", self.store.backend().delete(key)).await
    }

    pub(super) fn slack(&self, idle: Duration) -> Duration {
        self.store.backend().idle_slack(idle)
    }

    pub(super) async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Acquired {
        self.answer("acquire", self.store.leases().expect(LEASES).acquire(key, lease, touch)).await
    }

    pub(super) async fn extend(&self, key: &RecordKey, lease: Lease) -> bool {
        self.answer("extend", self.store.leases().expect(LEASES).extend(key, lease)).await
    }

    pub(super) async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Written {
        self.answer("save", self.store.leases().expect(LEASES).save(key, lease, expected, record, touch)).await
    }

    pub(super) async fn release(&self, key: &RecordKey, lease: Lease) {
        self.answer("release", self.store.leases().expect(LEASES).release(key, lease)).await;
    }

    pub(super) async fn save_and_keep(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Kept {
        let store = self.store.keeping().expect(KEEP_LEASE);
        self.answer("save_and_keep", store.save_and_keep(key, lease, expected, record, touch)).await
    }

    pub(super) async fn compare_and_set(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Written {
        let store = self.store.comparing().expect(COMPARE_AND_SET);
        self.answer("compare_and_set", store.compare_and_set(key, expected, record, touch)).await
    }

    pub(super) async fn sweep(&self, now: Timestamp, limit: usize) -> usize {
        let store = self.store.sweeping().expect(SWEEP);
        self.answer("sweep", store.sweep(now, limit)).await
    }

    pub(super) async fn expired(&self, now: Timestamp, limit: usize) -> Option<Vec<ListedRecord>> {
        self.answer("expired", self.store.sweeping().expect(SWEEP).expired(now, limit)).await
    }

    pub(super) async fn forget(&self, now: Timestamp, keys: &[RecordKey]) -> usize {
        self.answer("forget", self.store.sweeping().expect(SWEEP).forget(now, keys)).await
    }

    pub(super) async fn watch(&self, key: &RecordKey) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.answer("watch", self.store.watching().expect(WATCH).watch(key)).await
    }

    pub(super) async fn list(&self, after: Option<&ListCursor>, limit: usize) -> ListPage {
        self.answer("list", self.store.listing().expect(LIST).list(after, limit)).await
    }
}
