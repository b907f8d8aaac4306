//! Threads for blocking work, no more of them than have something to do.
//!
//! A thread for each call would do: but under load waking as many threads as there are calls, one after the other, takes
//! longer than the work. Here a few take one call after the other. Where they make no progress, since the disk is slow or
//! another process holds a lock, further ones are started for the calls behind.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

type Job = Box<dyn FnOnce() + Send>;

/// How long a call waits before another thread is started for it.
const STALLED: Duration = Duration::from_millis(20);
/// The most threads. The runtime has some for others as well.
const MOST: usize = 256;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
}

#[derive(Clone, Default)]
pub(super) struct Workers(Arc<Mutex<Queue>>);

impl Workers {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing can panic under the lock, so it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs this on one of the threads. Dropping the future leaves the work to be done. `None` if it panicked, or the
    /// runtime has ended.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        /// As many as can work at the same time, and one more, since each may wait for the disk.
        static USUAL: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from) + 1);

        let (answer, mut answered) = oneshot::channel();
        let job = move || {
            // Nobody waits for it any more: what it returned is dropped.
            let _ = answer.send(work());
        };
        self.queue().jobs.push_back(Box::new(job));
        self.start(*USUAL);
        loop {
            match timeout(STALLED, &mut answered).await {
                Ok(answer) => return answer.ok(),
                Err(_) => self.start(MOST),
            }
        }
    }

    /// Starts a thread if something waits for one, and there are fewer.
    fn start(&self, most: usize) {
        {
            let mut queue = self.queue();
            if queue.jobs.is_empty() || queue.threads >= most {
                return;
            }
            queue.threads += 1;
        }
        let worker = Worker { workers: self.clone(), is_counted: true };
        spawn_blocking(move || worker.work());
    }
}

/// A thread, counted until it finds nothing more to do; or until this is dropped, since a job has panicked or the runtime has
/// ended.
struct Worker {
    workers: Workers,
    is_counted: bool,
}

impl Worker {
    fn work(mut self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// In one step with the end of its count, so that no job is left to a thread that is no more.
    fn next(&mut self) -> Option<Job> {
        let mut queue = self.workers.queue();
        let job = queue.jobs.pop_front();
        if job.is_none() {
            queue.threads -= 1;
            self.is_counted = false;
        }
        job
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.is_counted {
            self.workers.queue().threads -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_is_done_though_all_before_it_waits_and_though_its_caller_has_gone() {
        let workers = Workers::default();
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let stuck: Vec<_> = (0..20)
            .map(|_| {
                let (workers, held) = (workers.clone(), Arc::clone(&held));
                tokio::spawn(async move { workers.run(move || held.lock().unwrap().recv().is_ok()).await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(workers.run(|| 1).await, Some(1), "it is not behind those that wait");

        let (tell, told) = oneshot::channel();
        let dropped = workers.run(move || tell.send(()).unwrap());
        let _ = timeout(Duration::ZERO, dropped).await;
        told.await.unwrap();
        for _ in &stuck {
            release.send(()).unwrap();
        }
        for stuck in stuck {
            assert_eq!(stuck.await.unwrap(), Some(true));
        }
    }

    #[tokio::test]
    async fn a_job_that_panics_is_no_answer_and_costs_no_thread() {
        let workers = Workers::default();
        for _ in 0..20 {
            assert_eq!(workers.run(|| panic!("a job panics, as this test wants it")).await, None::<()>);
        }
        assert_eq!(workers.run(|| 1).await, Some(1));
        while workers.queue().threads > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
