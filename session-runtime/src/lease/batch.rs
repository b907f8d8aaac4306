//! Group commit: one save for the changes of many requests of this process.
//!
//! 1. While requests of one process queue for a session, one that has finished adds its record to a batch and passes the
//!    lease and that record on at once. The next request runs on a record that is not stored yet.
//! 2. One save at a time is under way. It carries the newest record, and so all changes up to it; the next save starts when
//!    it has ended. It runs in a task of its own, since a client that leaves must not take the others' changes with it.
//! 3. Whoever has read or added a record is answered once a save has stored it or a later one. When a save fails, all who
//!    wait for it fail, as do all who have read what it carried, and the batch takes no further records.
//! 4. Only those requests run ahead of a save that have waited since before the last call was sent that the store has
//!    confirmed. So nobody's handler runs on a session that had ended before the request came.
//! 5. The batch has the lease, and gives it up with the last who refers to it. Whoever has the turn takes it back once all
//!    is stored: a rotation, a release and the last save of a run are done as without a batch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use super::queue::Queue;
use super::taken::TakenLease;
use super::{LeaseState, why_refused};
use crate::backend::{BackendError, Kept, Record, Touch, Written};
use crate::error::Error;

/// The records of one session that are on their way to the store.
pub(super) struct Batch {
    queue: Arc<Queue>,
    /// What has become of the lease, as all who use it know.
    state: Arc<LeaseState>,
    saves: Mutex<Saves>,
    progress: watch::Sender<Progress>,
}

struct Saves {
    lease: TakenLease,
    /// The newest record, if no save has it yet.
    newest: Option<(Record, Touch)>,
    /// The version that the store has.
    stored: u64,
    /// The version that it was sent last.
    sent: u64,
    is_saving: bool,
    confirmed: Confirmed,
    is_contended: bool,
}

/// The last call that the store has confirmed: until then the session lived and the lease was this process's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Confirmed {
    /// When it was sent.
    pub(super) asked: Instant,
    /// How many had come to the line by then.
    pub(super) arrived: u64,
}

#[derive(Default)]
struct Progress {
    stored: u64,
    /// Of the save that carried all up to this version.
    failure: Option<(u64, Failure)>,
}

/// Why a save failed, for everybody whom it concerns.
#[derive(Clone)]
enum Failure {
    Conflict,
    LeaseLost,
    Ended,
    Unavailable(Arc<BackendError>),
}

impl Failure {
    fn of(error: Error) -> Self {
        match error {
            Error::Unavailable(error) => Self::Unavailable(Arc::new(error)),
            Error::Ended => Self::Ended,
            Error::LeaseLost => Self::LeaseLost,
            _ => Self::Conflict,
        }
    }

    fn into_error(self) -> Error {
        match self {
            Self::Conflict => Error::Conflict,
            Self::LeaseLost => Error::LeaseLost,
            Self::Ended => Error::Ended,
            Self::Unavailable(error) => Error::Unavailable(error.shared()),
        }
    }
}

impl Batch {
    /// An empty one, which has the lease from now on.
    pub(super) fn open(
        queue: &Arc<Queue>,
        lease: &mut TakenLease,
        state: &Arc<LeaseState>,
        stored: u64,
        confirmed: Confirmed,
    ) -> Arc<Self> {
        let lease = lease.take();
        let saves =
            Saves { lease, newest: None, stored, sent: stored, is_saving: false, confirmed, is_contended: false };
        let progress = watch::Sender::new(Progress { stored, failure: None });
        Arc::new(Self { queue: Arc::clone(queue), state: Arc::clone(state), saves: Mutex::new(saves), progress })
    }

    pub(super) fn state(&self) -> &Arc<LeaseState> {
        &self.state
    }

    fn saves(&self) -> MutexGuard<'_, Saves> {
        self.saves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a save has failed, so that nothing is to be made of its records any more.
    pub(super) fn has_failed(&self) -> bool {
        self.progress.borrow().failure.is_some()
    }

    /// Adds a record that follows the newest one, unless a save has failed.
    pub(super) fn add(self: &Arc<Self>, runtime: &Handle, record: Record, touch: Touch) {
        let mut saves = self.saves();
        if self.has_failed() {
            return;
        }
        saves.newest = Some((record, touch));
        let is_saving = std::mem::replace(&mut saves.is_saving, true);
        // A runtime that is being shut down drops the task at once, and that looks at the batch.
        drop(saves);
        if !is_saving {
            runtime.spawn(SavingBatch { batch: Arc::clone(self), has_ended: false }.run());
        }
    }

    /// Waits until the store has this version, or one that was made from it.
    ///
    /// # Errors
    /// It has not, and will not have it from this batch.
    pub(super) async fn committed(&self, version: u64) -> Result<(), Error> {
        let outcome = self.outcome(version).await;
        if matches!(outcome, Err(Error::LeaseLost)) {
            let (client, key) = {
                let saves = self.saves();
                (Arc::clone(&saves.lease.client), saves.lease.key)
            };
            self.state.lose(&client, &key);
        }
        outcome
    }

    async fn outcome(&self, version: u64) -> Result<(), Error> {
        let mut progress = self.progress.subscribe();
        // The sender is in here, and so never gone meanwhile.
        let Ok(progress) = progress.wait_for(|progress| progress.stored >= version || progress.failure.is_some()).await
        else {
            return Err(given_up());
        };
        match &progress.failure {
            Some((sent, failure)) if progress.stored < version => Err(match failure.clone().into_error() {
                // What the store says that it has done was sent without this version.
                Error::Unavailable(error) if version > *sent => Error::Unavailable(error.of_one_before().unconfirmed()),
                error => error,
            }),
            _ => Ok(()),
        }
    }

    /// The last confirmed call, and whether another process is known to wait.
    pub(super) fn confirmed(&self) -> (Confirmed, bool) {
        let saves = self.saves();
        (saves.confirmed, saves.is_contended)
    }

    /// Gives the lease back to who has the turn, once all is stored.
    pub(super) fn give_back(&self, lease: &mut TakenLease) {
        lease.is_open = std::mem::take(&mut self.saves().lease.is_open);
    }

    fn fail(&self, error: Error) {
        let mut saves = self.saves();
        (saves.newest, saves.is_saving) = (None, false);
        // Whoever still runs is told when a change is to be stored.
        self.state.refuse();
        self.progress.send_modify(|progress| progress.failure = Some((saves.sent, Failure::of(error))));
    }
}

/// A record that somebody has read before it was stored.
pub(crate) struct Unsaved(pub(super) (Arc<Batch>, u64));

impl Unsaved {
    /// Waits until it is stored.
    ///
    /// # Errors
    /// It could not be.
    pub(crate) async fn committed(self) -> Result<(), Error> {
        let (batch, version) = self.0;
        batch.committed(version).await
    }
}

fn given_up() -> Error {
    Error::Unavailable(BackendError::new("the save was given up").unconfirmed())
}

/// The task that saves what is added, until nothing is left.
struct SavingBatch {
    batch: Arc<Batch>,
    /// Whether it has nothing left to do. The next one may have begun by the time that this is dropped.
    has_ended: bool,
}

impl SavingBatch {
    async fn run(mut self) {
        let saved = self.save_all().await;
        self.has_ended = true;
        if let Err(error) = saved {
            self.batch.fail(error);
        }
    }

    async fn save_all(&self) -> Result<(), Error> {
        let mut next = self.batch.saves().newest.take();
        while let Some((record, touch)) = next {
            next = self.save(record, touch).await?;
        }
        Ok(())
    }

    /// Saves one record, and says which is next.
    async fn save(&self, record: Record, touch: Touch) -> Result<Option<(Record, Touch)>, Error> {
        let batch = &*self.batch;
        let (client, key, lease, expected) = {
            let mut saves = batch.saves();
            saves.sent = record.version;
            let Saves { lease, stored, .. } = &*saves;
            (Arc::clone(&lease.client), lease.key, lease.at(touch.now), *stored)
        };
        let Some(keeping) = client.store.keeping() else { return Err(given_up()) };
        let confirmed = Confirmed { arrived: batch.queue.arrived(&key), asked: Instant::now() };
        let version = record.version;
        let kept = {
            let _writing = client.writing(&key);
            client.within(keeping.save_and_keep(&key, lease, expected, record, touch)).await?
        };
        let stored = match kept {
            Kept::Alone | Kept::Contended => Ok(()),
            Kept::Not(Written::Done) => Err(Error::LeaseLost),
            Kept::Not(Written::Absent) => return Err(Error::Ended),
            Kept::Not(Written::Conflict) => {
                return Err(why_refused(&client, &key, &batch.state, expected).await);
            }
        };
        let mut saves = batch.saves();
        (saves.stored, saves.confirmed) = (version, confirmed);
        saves.is_contended |= kept == Kept::Contended;
        // Where the lease is lost there is none that could be given back or passed on.
        saves.lease.is_open &= stored.is_ok();
        let newest = saves.newest.take();
        // Who is told that all is stored may take the lease back: nothing is under way by then.
        saves.is_saving = newest.is_some();
        batch.progress.send_modify(|progress| progress.stored = version);
        stored.map(|()| newest)
    }
}

impl Drop for SavingBatch {
    /// A store that panics answers nobody, nor does a runtime that has been shut down.
    fn drop(&mut self) {
        if !self.has_ended {
            self.batch.fail(given_up());
        }
    }
}

#[cfg(test)]
mod tests;
