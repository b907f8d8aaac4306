//! Waiting for a lease that somebody else holds.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::backend::Lease;
use crate::id::RecordKey;

/// What there is to know about a record without reading it, by the database's clock.
pub(super) struct LeaseState {
    /// Whether it may still be used.
    pub(super) is_kept: bool,
    pub(super) holder: Option<Vec<u8>>,
    /// What is left of the lease.
    pub(super) left: Duration,
    /// Whether the holder is told that somebody else waits.
    pub(super) is_marked: bool,
    /// The record's version: it changes while a holder keeps the lease from borrow to borrow.
    pub(super) version: Option<i64>,
}

impl LeaseState {
    pub(super) fn is_held_by(&self, lease: Lease) -> bool {
        self.holder.as_deref() == Some(&lease.holder.to_bytes()) && !self.left.is_zero()
    }

    pub(super) fn is_held_by_another(&self, lease: Lease) -> bool {
        let another = self.holder.as_deref().is_some_and(|holder| holder != lease.holder.to_bytes());
        another && !self.left.is_zero()
    }
}

/// Who in this process waits for which session.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<RecordKey, Arc<Notify>>>);

impl Waiting {
    /// Listens from now on.
    pub(super) fn listen(self: &Arc<Self>, key: &RecordKey) -> Waiter {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notified = Box::pin(Arc::clone(waiting.entry(*key).or_default()).notified_owned());
        notified.as_mut().enable();
        Waiter { notified: Some(notified), waiting: Arc::clone(self), key: *key }
    }

    /// A lease was given up in this process.
    pub(super) fn wake(&self, key: &RecordKey) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notify) = waiting.get(key) {
            notify.notify_waiters();
        }
    }
}

/// A place among those who wait, given up when it is dropped.
pub(super) struct Waiter {
    notified: Option<Pin<Box<OwnedNotified>>>,
    waiting: Arc<Waiting>,
    key: RecordKey,
}

impl Waiter {
    /// Whether it was woken within this time.
    pub(super) async fn within(&mut self, time: Duration) -> bool {
        match &mut self.notified {
            Some(notified) => tokio::time::timeout(time, notified.as_mut()).await.is_ok(),
            None => true,
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.notified = None;
        let mut waiting = self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(&self.key).is_some_and(|notify| Arc::strong_count(notify) == 1) {
            waiting.remove(&self.key);
        }
    }
}

/// The pauses between two looks at a lease that another process holds: each longer than the one before,
/// none as long as another waiter's, so that waiters don't look in step.
pub(super) struct Pauses(Duration);

impl Pauses {
    const SHORT: Duration = Duration::from_millis(1);
    const FIRST: Duration = Duration::from_millis(5);
    const LONGEST: Duration = Duration::from_millis(100);

    pub(super) fn new() -> Self {
        Self(Self::FIRST)
    }

    /// Between looks at a lease that is about to be given up, for a few milliseconds perhaps.
    pub(super) fn short() -> Self {
        Self(Self::SHORT)
    }

    pub(super) fn next(&mut self) -> Duration {
        let whole = self.0;
        self.0 = (whole * 2).min(Self::LONGEST);
        let [jitter] = crate::id::random::<1>();
        whole / 2 + whole * u32::from(jitter) / 512
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> RecordKey {
        RecordKey::from_bytes([byte; 32])
    }

    #[tokio::test]
    async fn only_those_who_wait_for_that_session_are_woken() {
        let waiting = Arc::new(Waiting::default());
        let (mut one, mut other) = (waiting.listen(&key(1)), waiting.listen(&key(2)));
        waiting.wake(&key(1));
        assert!(one.within(Duration::from_secs(60)).await);
        assert!(!other.within(Duration::ZERO).await);
        drop((one, other));
        assert!(waiting.0.lock().unwrap().is_empty(), "nobody waits, nothing is kept");
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut pauses = Pauses::new();
        let all: Vec<Duration> = (0..20).map(|_| pauses.next()).collect();
        assert!(all[0] <= Pauses::FIRST && all[0] >= Pauses::FIRST / 2);
        assert!(all[10..].iter().all(|pause| *pause <= Pauses::LONGEST && *pause >= Pauses::LONGEST / 2), "{all:?}");
    }
}
