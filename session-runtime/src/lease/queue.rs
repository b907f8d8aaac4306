//! Waiting for a session inside one process, first come first served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::id::RecordKey;

/// One line of waiters for each session that is in exclusive use. Only the first of a line contends
/// with other processes, so a store sees at most one waiter a process.
pub(crate) struct Queue {
    lines: [Mutex<Lines>; Self::SHARDS],
}

type Lines = HashMap<RecordKey, Arc<Semaphore>>;

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

    /// A turn, if nobody is before.
    pub(crate) fn try_enter(self: &Arc<Self>, key: &RecordKey) -> Option<Turn> {
        let line = Arc::clone(self.lines(key).entry(*key).or_insert_with(|| Arc::new(Semaphore::new(1))));
        let permit = line.try_acquire_owned().ok()?;
        Some(self.turn(key, permit))
    }

    /// A turn, after those who came before.
    pub(crate) async fn enter(self: &Arc<Self>, key: &RecordKey) -> Turn {
        let _left = LeaveGuard { queue: self, key };
        loop {
            let line = Arc::clone(self.lines(key).entry(*key).or_insert_with(|| Arc::new(Semaphore::new(1))));
            // A line is never closed; were it, a new one would be opened.
            if let Ok(permit) = line.acquire_owned().await {
                return self.turn(key, permit);
            }
        }
    }

    /// Takes an empty line away: the map's own reference is the last one, so nobody waits, and nobody
    /// can join while the map is locked.
    fn tidy(lines: &mut Lines, key: &RecordKey) {
        if lines.get(key).is_some_and(|line| Arc::strong_count(line) == 1) {
            lines.remove(key);
        }
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

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lines = self.queue.lines(&self.key);
        self.permit = None;
        Queue::tidy(&mut lines, &self.key);
    }
}

/// Somebody who waits, and may leave without a turn after the last turn has ended.
struct LeaveGuard<'a> {
    queue: &'a Queue,
    key: &'a RecordKey,
}

impl Drop for LeaveGuard<'_> {
    fn drop(&mut self) {
        Queue::tidy(&mut self.queue.lines(self.key), self.key);
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
                let _turn = queue.enter(&key()).await;
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
}
