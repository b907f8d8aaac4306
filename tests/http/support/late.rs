//! A backend whose answers come late.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use session_runtime::backend::{
    Acquired, Backend, BackendError, Capabilities, CompareAndSet, Lease, Leases, Memory, Record, RecordKey, Touch,
    Written,
};
use tokio::sync::Notify;

/// Memory that does what it is asked and may keep the answer to itself. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Late(Arc<Inner>);

#[derive(Default)]
struct Inner {
    memory: Memory,
    mode: AtomicU8,
    released: Notify,
}

/// When answers come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// At once.
    Prompt,
    /// That of the next end never does; the session is ended.
    LosesAnEnd,
    /// That of a write never does; what it says is done.
    LosesWrites,
    /// From the next write on none ever does. The write is done.
    LosesAllFromAWrite,
    /// None does.
    LosesAll,
    /// The next write is done when it is [released](Late::release).
    HoldsOneBack,
}

const ALL: [Answers; 6] = [
    Answers::Prompt,
    Answers::LosesAnEnd,
    Answers::LosesWrites,
    Answers::LosesAllFromAWrite,
    Answers::LosesAll,
    Answers::HoldsOneBack,
];

/// The deadline to be given to sessions on it.
pub(crate) const DEADLINE: Duration = Duration::from_millis(150);

impl Late {
    pub(crate) fn answers(&self, answers: Answers) {
        self.0.mode.store(answers as u8, Ordering::SeqCst);
    }

    /// Whether the write that is to be held back has come.
    pub(crate) fn holds_one_back(&self) -> bool {
        self.mode() == Answers::Prompt
    }

    /// Lets a write that was held back be done.
    pub(crate) fn release(&self) {
        self.0.released.notify_one();
    }

    fn mode(&self) -> Answers {
        ALL[usize::from(self.0.mode.load(Ordering::SeqCst))]
    }

    fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// An answer to a question.
    async fn read<T>(&self, answer: impl Future<Output = T>) -> T {
        let answer = answer.await;
        if self.mode() == Answers::LosesAll {
            std::future::pending::<()>().await;
        }
        answer
    }

    /// An answer to a write.
    async fn write<T: Send + 'static>(&self, write: impl Future<Output = T> + Send + 'static) -> T {
        match self.mode() {
            Answers::Prompt | Answers::LosesAnEnd => return write.await,
            Answers::HoldsOneBack => {
                self.answers(Answers::Prompt);
                let this = self.clone();
                tokio::spawn(async move {
                    this.0.released.notified().await;
                    write.await;
                });
                return std::future::pending().await;
            }
            Answers::LosesAllFromAWrite => self.answers(Answers::LosesAll),
            Answers::LosesWrites | Answers::LosesAll => {}
        }
        write.await;
        std::future::pending().await
    }
}

impl Backend for Late {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let (this, key) = (self.clone(), *key);
        self.write(async move { Backend::create(this.memory(), &key, record, touch).await }).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        self.read(Backend::load(self.memory(), key, touch)).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        self.read(Backend::peek(self.memory(), key)).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let (this, key) = (self.clone(), *key);
        self.write(async move { Backend::update(this.memory(), &key, expected, record, touch).await }).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        if self.mode() == Answers::LosesAnEnd {
            self.answers(Answers::Prompt);
            let _ended = Backend::delete(self.memory(), key).await;
            return std::future::pending().await;
        }
        let (this, key) = (self.clone(), *key);
        self.write(async move { Backend::delete(this.memory(), &key).await }).await
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).compare_and_set(self)
    }
}

impl Leases for Late {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        self.read(Leases::acquire(self.memory(), key, lease, touch)).await
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        self.read(Leases::extend(self.memory(), key, lease)).await
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let (this, key) = (self.clone(), *key);
        self.write(async move { Leases::save(this.memory(), &key, lease, expected, record, touch).await }).await
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        self.read(Leases::release(self.memory(), key, lease)).await
    }
}

impl CompareAndSet for Late {
    async fn compare_and_set(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let (this, key) = (self.clone(), *key);
        let set = async move { CompareAndSet::compare_and_set(this.memory(), &key, expected, record, touch).await };
        self.write(set).await
    }
}
