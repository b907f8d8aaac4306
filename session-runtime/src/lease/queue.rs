//! Waiting for a session inside one process, first come first served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::taken::PassedLease;
use crate::error::{BackendError, Error};
use crate::id::{RecordKey, RecordKeyHashes};

/// One line of waiters for each session that is in exclusive use. Only the first of a line contends
/// with other processes, so a store sees at most one waiter a process.
///
/// When the store does not answer the first, it would not answer the others: all of the line is told at once, where
/// each would otherwise wait for a deadline of its own behind those of all before it.
pub(crate) struct Queue {
    lines: [Mutex<Lines>; Self::SHARDS],
}

type Lines = HashMap<RecordKey, Line, RecordKeyHashes>;

struct Line {
    turns: Arc<Semaphore>,
    /// What the store's failure is told by, once somebody waits.
    failure: Option<watch::Sender<Arc<str>>>,
    /// How many wait.
    waiting: u64,
    /// How many have come to wait.
    arrived: u64,
    /// What the turn before has left for the next.
    passed: Option<PassedLease>,
}

impl Default for Line {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(1)), failure: None, waiting: 0, arrived: 0, passed: None }
    }
}

impl Queue {
    const SHARDS: usize = 16;

    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { lines: std::array::from_fn(|_| Mutex::default()) })
    }

    fn lines(&self, key: &RecordKey) -> MutexGuard<'_, Lines> {
        self.lines[usize::from(key.as_bytes()[1]) % Self::SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(self: &Arc<Self>, key: &RecordKey, permit: OwnedSemaphorePermit) -> Turn {
        Turn { queue: Arc::clone(self), key: *key, permit: Some(permit) }
    }

    /// How many have come to wait for the session since its line was opened.
    pub(super) fn arrived(&self, key: &RecordKey) -> u64 {
        self.lines(key).get(key).map_or(0, |line| line.arrived)
    }

    /// Whether nobody of this process has the session exclusively or waits for it.
    pub(crate) fn is_free(&self, key: &RecordKey) -> bool {
        !self.lines(key).contains_key(key)
    }

    /// A turn, if nobody is before.
    pub(crate) fn try_enter(self: &Arc<Self>, key: &RecordKey) -> Option<Turn> {
        let mut lines = self.lines(key);
        let line = lines.entry(*key).or_default();
        let permit = Arc::clone(&line.turns).try_acquire_owned().ok()?;
        // It was for somebody who has left, and is given up once nothing is locked.
        let left = line.passed.take();
        drop(lines);
        drop(left);
        Some(self.turn(key, permit))
    }

    /// A turn, after those who came before.
    ///
    /// # Errors
    /// One of those could not reach the store while this one waited.
    pub(crate) async fn enter(self: &Arc<Self>, key: &RecordKey) -> Result<Turn, BackendError> {
        let mut place = None;
        loop {
            let (turns, mut failure) = {
                let mut lines = self.lines(key);
                let line = lines.entry(*key).or_default();
                if place.is_none() {
                    line.waiting += 1;
                    line.arrived += 1;
                    place = Some(WaitingPlace { queue: self, key });
                }
                let failure = line.failure.get_or_insert_with(|| watch::Sender::new(Arc::from("")));
                (Arc::clone(&line.turns), failure.subscribe())
            };
            tokio::select! {
                biased;
                Ok(()) = failure.changed() => {
                    let failed = Arc::clone(&failure.borrow());
                    return Err(BackendError::new(failed.to_string()).of_one_before());
                }
                permit = turns.acquire_owned() => {
                    // A line is never closed; were it, a new one would be opened.
                    if let Ok(permit) = permit {
                        return Ok(self.turn(key, permit));
                    }
                }
            }
        }
    }

    /// Takes an empty line away: the map's own reference is the last one, so nobody waits, and nobody
    /// can join while the map is locked. What it holds is to be dropped once nothing is locked.
    #[must_use]
    fn tidy(lines: &mut Lines, key: &RecordKey) -> Option<Line> {
        let is_empty = lines.get(key).is_some_and(|line| Arc::strong_count(&line.turns) == 1);
        if is_empty { lines.remove(key) } else { None }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lines.iter().map(|lines| lines.lock().unwrap().len()).sum()
    }
}

/// The right to use a session, until it is dropped.
pub(crate) struct Turn {
    queue: Arc<Queue>,
    key: RecordKey,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Tells those who wait behind this turn if the store could not be reached in it.
    pub(crate) fn share<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Unavailable(error)) = &result
            && let Some(failure) = self.queue.lines(&self.key).get(&self.key).and_then(|line| line.failure.as_ref())
        {
            failure.send_replace(error.to_string().into());
        }
        result
    }
}

impl Turn {
    /// Whether somebody of this process waits for the next: how many have come to wait by now.
    pub(super) fn is_waited_for(&self) -> Option<u64> {
        self.queue.lines(&self.key).get(&self.key).filter(|line| line.waiting > 0).map(|line| line.arrived)
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Whether the next was there when so many had come. More wait than have come since, and they have their turns in the
    /// order in which they came.
    pub(super) fn next_was_among(&self, arrived: u64) -> bool {
        let lines = self.queue.lines(&self.key);
        lines.get(&self.key).is_some_and(|line| line.waiting > line.arrived.saturating_sub(arrived))
    }

    /// What the turn before has left for this one.
    pub(super) fn take_passed(&self) -> Option<PassedLease> {
        self.queue.lines(&self.key).get_mut(&self.key).and_then(|line| line.passed.take())
    }

    /// Ends it, and leaves a lease to whoever is next. If all have left meanwhile it is given up.
    pub(super) fn pass_on(self, lease: PassedLease) {
        if let Some(line) = self.queue.lines(&self.key).get_mut(&self.key) {
            line.passed = Some(lease);
        }
    }

    /// Ends it after a while.
    pub(super) fn stand_back(self, pause: Duration) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(pause).await;
                drop(self);
            });
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lines = self.queue.lines(&self.key);
        self.permit = None;
        let empty = Queue::tidy(&mut lines, &self.key);
        drop(lines);
        drop(empty);
    }
}

/// Somebody who waits, and may leave without a turn after the last turn has ended.
struct WaitingPlace<'a> {
    queue: &'a Queue,
    key: &'a RecordKey,
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        let mut lines = self.queue.lines(self.key);
        if let Some(line) = lines.get_mut(self.key) {
            line.waiting = line.waiting.saturating_sub(1);
        }
        let empty = Queue::tidy(&mut lines, self.key);
        drop(lines);
        drop(empty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RecordKey {
        RecordKey::from_bytes([7; 32])
    }

    #[tokio::test]
    async fn the_first_goes_at_once_and_the_others_in_order() {
        let queue = Queue::new();
        let first = queue.try_enter(&key()).unwrap();
        assert!(queue.try_enter(&key()).is_none());
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for i in 0..10 {
            let (queue, order) = (Arc::clone(&queue), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let _turn = queue.enter(&key()).await.unwrap();
                order.lock().unwrap().push(i);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
        assert_eq!(queue.len(), 0, "an empty line is taken away");
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_the_line() {
        let queue = Queue::new();
        let first = queue.try_enter(&key()).unwrap();
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(5), queue.enter(&key())).await;
        assert!(waiting.is_err());
        drop(first);
        assert!(queue.try_enter(&key()).is_some());
        assert_eq!(queue.len(), 0);
    }

    #[tokio::test]
    async fn the_next_was_among_those_who_had_come_unless_they_have_all_had_their_turns_or_left() {
        let queue = Queue::new();
        let first = queue.try_enter(&key()).unwrap();
        let wait = || {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.enter(&key()).await.unwrap() })
        };
        assert!(!first.next_was_among(queue.arrived(&key())), "nobody waits");
        let early = [wait(), wait()];
        tokio::task::yield_now().await;
        let arrived = queue.arrived(&key());
        let late = wait();
        tokio::task::yield_now().await;
        assert!(first.next_was_among(arrived));
        let [second, leaving] = early;
        drop(first);
        let second = second.await.unwrap();
        assert!(second.next_was_among(arrived));
        leaving.abort();
        assert!(leaving.await.is_err());
        assert!(!second.next_was_among(arrived), "only the late one waits");
        assert!(second.next_was_among(arrived + 1));
        drop(second);
        assert!(!late.await.unwrap().next_was_among(arrived));
    }

    #[tokio::test]
    async fn who_waits_is_told_of_the_stores_failure_and_who_comes_later_is_not() {
        let queue = Queue::new();
        let first = queue.try_enter(&key()).unwrap();
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let queue = Arc::clone(&queue);
                tokio::spawn(async move { queue.enter(&key()).await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        first.share(Err::<(), _>(Error::Busy)).unwrap_err();
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|waiter| !waiter.is_finished()), "only the store's failure is everybody's");
        first.share(Err::<(), _>(Error::Unavailable(BackendError::new("it is down")))).unwrap_err();
        let later = Arc::clone(&queue);
        let later = tokio::spawn(async move { later.enter(&key()).await.map(drop) });
        for waiter in waiting {
            assert!(waiter.await.unwrap().unwrap_err().to_string().contains("it is down"));
        }
        drop(first);
        later.await.unwrap().unwrap();
        assert_eq!(queue.len(), 0);
    }
}
