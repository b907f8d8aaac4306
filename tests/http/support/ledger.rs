//! A backend of the tests' own.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use session_runtime::{
    Clock, SystemClock,
    backend::{
        Acquired, Backend, BackendError, Capabilities, CompareAndSet, Lease, Leases, Memory, OpenBackend, OpenError,
        Record, RecordKey, Scope, Touch, Written,
    },
};

/// Memory that counts what it is asked, remembers what was created last, and fails when it is told to. Clones are the
/// same ledger.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Inner>);

#[derive(Default)]
struct Inner {
    memory: Memory,
    asked: AtomicUsize,
    written: AtomicUsize,
    down: AtomicBool,
    created: Mutex<Option<RecordKey>>,
}

/// The arguments of `backend = Ledger(...)`.
#[derive(Default)]
pub(crate) struct LedgerConfig {
    /// The name under which [`Ledger::named`] finds it.
    pub(crate) name: String,
    /// Whether it fails from the start.
    pub(crate) down: bool,
    /// For how many sessions; nothing comes of it.
    pub(crate) room: Option<u32>,
}

static NAMED: LazyLock<Mutex<HashMap<String, Ledger>>> = LazyLock::new(Mutex::default);

impl Ledger {
    /// The ledger that was opened under this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        NAMED.lock().unwrap().get(name).cloned()
    }

    /// How often it has been asked for anything.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// How often it has been told to store or remove something.
    pub(crate) fn written(&self) -> usize {
        self.0.written.load(Ordering::SeqCst)
    }

    /// Whether every call fails from now on.
    pub(crate) fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    /// The record that was created last.
    pub(crate) async fn record(&self) -> Record {
        let found = Backend::load(&self.0.memory, &self.last(), touch()).await.expect("memory answers");
        found.expect("there is a record")
    }

    /// Puts other bytes in the body of the record that was created last.
    pub(crate) async fn replace_body(&self, body: Vec<u8>) {
        let record = self.record().await;
        let (version, record) = (record.version, Record { body: Bytes::from(body), ..record });
        let written = Backend::update(&self.0.memory, &self.last(), version, record, touch()).await;
        assert_eq!(written.expect("memory answers"), Written::Done);
    }

    /// Gives the record that was created last another version.
    pub(crate) async fn set_version(&self, version: u64) {
        let record = self.record().await;
        let before = record.version;
        let written =
            Backend::update(&self.0.memory, &self.last(), before, Record { version, ..record }, touch()).await;
        assert_eq!(written.expect("memory answers"), Written::Done);
    }

    fn last(&self) -> RecordKey {
        self.0.created.lock().unwrap().expect("a session was started")
    }

    fn ask(&self) -> Result<&Memory, BackendError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        match self.0.down.load(Ordering::SeqCst) {
            true => Err(BackendError::new("no ledger at ledger.internal:4711")),
            false => Ok(&self.0.memory),
        }
    }

    fn write(&self) -> Result<&Memory, BackendError> {
        self.0.written.fetch_add(1, Ordering::SeqCst);
        self.ask()
    }
}

fn touch() -> Touch {
    let (now, idle) = (SystemClock.now(), Duration::from_secs(1800));
    Touch { now, idle, expires: now.plus(idle) }
}

impl Backend for Ledger {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let memory = self.write()?;
        *self.0.created.lock().unwrap() = Some(*key);
        Backend::create(memory, key, record, touch).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        Backend::load(self.ask()?, key, touch).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        Backend::peek(self.ask()?, key).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        Backend::update(self.write()?, key, expected, record, touch).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        Backend::delete(self.write()?, key).await
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).compare_and_set(self)
    }
}

impl Leases for Ledger {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        Leases::acquire(self.ask()?, key, lease, touch).await
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        Leases::extend(self.ask()?, key, lease).await
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        Leases::save(self.write()?, key, lease, expected, record, touch).await
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        Leases::release(self.ask()?, key, lease).await
    }
}

impl CompareAndSet for Ledger {
    async fn compare_and_set(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        CompareAndSet::compare_and_set(self.write()?, key, expected, record, touch).await
    }
}

impl OpenBackend for Ledger {
    type Config = LedgerConfig;

    async fn open(config: LedgerConfig, scope: &Scope) -> Result<Self, OpenError> {
        if config.room == Some(0) {
            return Err(OpenError::option(
                "backend = Ledger(room)",
                None,
                format!("has no room for {}", scope.type_name),
            ));
        }
        let ledger = Self::default();
        ledger.set_down(config.down);
        NAMED.lock().unwrap().insert(config.name, ledger.clone());
        Ok(ledger)
    }
}
