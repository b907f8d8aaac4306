//! Exclusive use of a session, and changes without it.

use std::future::Future;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Backend, BackendError, Record, RecordKey, Touch, Written};
use crate::clock::Timestamp;

/// Who holds a lease, for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The holder: another one each time a lease is taken. One that is [kept](KeepLease) goes from borrow to borrow.
    pub holder: Holder,
    /// The time from now after which the lease runs out by itself.
    pub ttl: Duration,
    /// The current time by the runtime's clock, for stores without one of their own.
    pub now: Timestamp,
}

/// The unique name of whoever takes a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Holder(u128);

impl Holder {
    /// A new one, unlike any other on any machine.
    #[expect(clippy::new_without_default, reason = "a default would be the same each time")]
    pub fn new() -> Self {
        use std::sync::LazyLock;
        use std::sync::atomic::{AtomicU64, Ordering};
        static PROCESS: LazyLock<u64> = LazyLock::new(|| u64::from_be_bytes(crate::id::random()));
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(u128::from(*PROCESS) << 64 | u128::from(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Its 16 bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

/// The answer to a request for a lease.
pub enum Acquired {
    /// The lease is the caller's; this is the record, with `last_seen` as it was before.
    Granted(Record),
    /// Somebody else has it. The future resolves when it is worth asking again: when the lease was
    /// given up or may have run out. It listens from before the answer, so that nothing is missed.
    Busy(BoxFuture<'static, ()>),
    /// There is no such record.
    Absent,
}

/// Exclusive use of one session at a time, across every process that shares the store.
///
/// Leases are fenced: once a lease has run out, its holder's [`save`](Leases::save) is refused.
/// Readers are never kept waiting by a lease.
#[diagnostic::on_unimplemented(
    message = "the backend `{Self}` has no leases, which `&mut` needs",
    label = "`&mut` locks the session, and `{Self}` has nothing to lock it with",
    note = "borrow it with `&T`, or change it with `Session::update`; or choose a backend with leases: `memory`, `file`, \
            `redis`, `sqlite`, `postgres` or `mysql`"
)]
pub trait Leases: Backend {
    /// Takes the lease if it is free, and loads (and touches) the record.
    ///
    /// The future may be dropped at any point: the client has left, or the runtime's deadline has passed. Then the lease must
    /// not be taken, or must end `lease.ttl` after it was taken, when somebody else can have it. Nothing may extend it, even
    /// where the call goes on without its caller, on a server or in a task. A caller who was waiting must lose its place.
    ///
    /// The runtime calls [`release`](Leases::release) for a lease that it has asked for and not been granted. A store that
    /// may take the lease after that should give it up by itself: until it ends nobody can use the session exclusively.
    fn acquire(
        &self,
        key: &RecordKey,
        lease: Lease,
        touch: Touch,
    ) -> impl Future<Output = Result<Acquired, BackendError>> + Send;

    /// Keeps a lease for another `lease.ttl` from now; `false` if it was no longer the holder's.
    fn extend(&self, key: &RecordKey, lease: Lease) -> impl Future<Output = Result<bool, BackendError>> + Send;

    /// Replaces the record if the lease is still the holder's and the stored version is `expected`, and
    /// gives up the lease, in one step.
    fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> impl Future<Output = Result<Written, BackendError>> + Send;

    /// Gives up the lease if it is the holder's, and wakes who waits for it.
    fn release(&self, key: &RecordKey, lease: Lease) -> impl Future<Output = Result<(), BackendError>> + Send;
}

/// Keeping the lease over a save: one call a borrow in place of two, while several of one process wait for a session.
///
/// Without this each borrow takes the lease and gives it up. With it the lease goes to the next who waits in the same
/// process, with the record that was saved. The runtime bounds for how long: to at most 16 saves or 50 milliseconds while
/// [somebody else waits](Kept::Contended), and to 256 saves or a second where the store knows of nobody. Then it
/// [saves](Leases::save) without keeping it.
///
/// Where the store has to be waited for, such a save may carry the changes of several borrows: `record.version` is then more
/// than one above `expected`.
///
/// A store that can't tell whether others wait had better not have it: they would seldom find the lease free.
pub trait KeepLease: Leases {
    /// Replaces the record if the lease is still the holder's and the stored version is `expected`, and keeps the lease for
    /// another `lease.ttl` from now, in one step.
    ///
    /// The lease is given up, if it is the holder's, where the record is not stored.
    fn save_and_keep(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> impl Future<Output = Result<Kept, BackendError>> + Send;
}

/// What became of a save that was to keep the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Kept {
    /// The record is stored and the lease is the holder's. Nobody else is known to wait for it.
    Alone,
    /// The record is stored and the lease is the holder's. Somebody else waits for it.
    Contended,
    /// The lease is not the holder's, or no longer. Whether the record is stored is said as [`Leases::save`] says it.
    Not(Written),
}

/// Changing a session that nobody holds exclusively, without a lease: one call in place of two.
///
/// [`Backend::update`] does not look at leases. It takes the version away from under an exclusive borrow, whose
/// [`save`](Leases::save) is then refused. With this, [`Session::update`](crate::Session::update) first tries without a
/// lease; without it, each change takes one.
pub trait CompareAndSet: Leases {
    /// Replaces the record if the stored version is `expected` and nobody holds a lease on it, in one step. A lease counts
    /// as held until it expires, by `touch.now` or by the store's own clock.
    ///
    /// [`Written::Conflict`] where somebody holds a lease: the runtime then queues for it.
    fn compare_and_set(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> impl Future<Output = Result<Written, BackendError>> + Send;
}
