//! Exclusive use of a session: a queue inside this process, then a lease across all of them.

mod batch;
#[cfg(test)]
mod faulty;
mod keeper;
mod queue;
mod state;
#[cfg(test)]
mod storms;
mod taken;
mod writes;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

pub(crate) use self::batch::Unsaved;
use self::batch::{Batch, Confirmed};
pub(crate) use self::keeper::LeaseKeeper;
pub(crate) use self::queue::{Queue, Turn};
pub(crate) use self::state::LeaseState;
use self::state::why_refused;
use self::taken::{PassedLease, TakenLease};
pub(crate) use self::writes::{Writes, Writing};
use crate::backend::{Acquired, BackendError, Kept, Record, RecordKey, Store, Touch, Written};
use crate::clock::{Clock, Timestamp};
use crate::error::Error;
use crate::telemetry;
use crate::timers::LeaseTimer;

/// What every use of the store needs.
#[derive(Clone)]
pub(crate) struct StoreClient {
    /// The name of the sessions' type.
    pub(crate) session_type: &'static str,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    /// The longest that one call to the store may take.
    pub(crate) deadline: Duration,
    pub(crate) writes: Arc<Writes>,
}

impl StoreClient {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whoever writes a session's record holds this meanwhile.
    pub(crate) fn writing(&self, key: &RecordKey) -> Writing<'_> {
        self.writes.begin(key)
    }

    /// How often this process may have written the session: the same number twice means that it has not in between.
    pub(crate) fn writes(&self, key: &RecordKey) -> u64 {
        self.writes.count(key)
    }

    /// A call to the store, with the deadline. A call that needs no waiting costs no timer.
    pub(crate) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, BackendError>> + Unpin,
    ) -> Result<T, Error> {
        self.quietly(call).await.map_err(|error| {
            telemetry::backend_down(self.session_type, &error);
            Error::Unavailable(error)
        })
    }

    /// The same for what nobody asked for, and so nobody is told of: it will be tried again.
    pub(crate) async fn quietly<T>(
        &self,
        mut call: impl Future<Output = Result<T, BackendError>> + Unpin,
    ) -> Result<T, BackendError> {
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut call).poll(cx))).await;
        match first {
            Poll::Ready(answer) => answer,
            // Boxed, so that what is around it stays small.
            Poll::Pending => match Box::pin(tokio::time::timeout(self.deadline, call)).await {
                Ok(answer) => answer,
                Err(late) => Err(BackendError::late(late)),
            },
        }
    }
}

/// How long a lease runs, and how long one may queue for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseTiming {
    pub(crate) ttl: Duration,
    pub(crate) wait: Duration,
}

/// A lease that is held, by whoever has the turn in this process. Both are given up when it is dropped, the lease first,
/// so that what the next in the queue asks of the store comes behind.
pub(crate) struct HeldLease {
    lease: TakenLease,
    /// Where the record that was read is not known to be stored: what it is in, which has the lease, and its version.
    batch: Option<(Arc<Batch>, u64)>,
    state: Arc<LeaseState>,
    turn: Turn,
}

impl HeldLease {
    /// Queues for the session, takes the lease and loads the record. `None`: there is no such record.
    pub(crate) async fn acquire(
        client: &Arc<StoreClient>,
        queue: &Arc<Queue>,
        key: RecordKey,
        timing: LeaseTiming,
        touch: impl Fn(Timestamp) -> Touch,
    ) -> Result<Option<(Self, Record, Touch)>, Error> {
        let mut timer = LeaseTimer::start(client.session_type);
        let acquired = Self::wait_for(client, queue, key, timing, touch).await;
        timer.ended(&acquired);
        acquired
    }

    async fn wait_for(
        client: &Arc<StoreClient>,
        queue: &Arc<Queue>,
        key: RecordKey,
        timing: LeaseTiming,
        touch: impl Fn(Timestamp) -> Touch,
    ) -> Result<Option<(Self, Record, Touch)>, Error> {
        let mut until = None;
        let (turn, passed) = match queue.try_enter(&key) {
            Some(turn) => (turn, None),
            None => {
                let since = Instant::now();
                let end = *until.insert(since + timing.wait);
                // Boxed, so that the many that need not wait have small futures.
                let entered = Box::pin(tokio::time::timeout_at(end, queue.enter(&key))).await;
                let turn = entered.map_err(|_| Error::Busy)??;
                let touch = touch(client.now());
                let passed = turn.take_passed().filter(|passed| passed.is_for(since, touch));
                (turn, passed.map(|passed| (passed, touch)))
            }
        };
        if let Some((PassedLease { lease, record, asked: _, batch }, touch)) = passed {
            let batch = batch.map(|batch| (batch, record.version));
            let state = batch.as_ref().map(|(batch, _)| Arc::clone(batch.state())).unwrap_or_default();
            return Ok(Some((Self { lease, batch, state, turn }, record, touch)));
        }
        let lease = TakenLease::ask(client, key, timing.ttl);
        let mut held = Self { lease, batch: None, state: Arc::default(), turn };
        loop {
            let touch = touch(client.now());
            let leases = client.store.leases().ok_or_else(no_leases)?;
            let asked = client.within(leases.acquire(&key, held.lease.at(touch.now), touch)).await;
            match held.turn.share(asked)? {
                Acquired::Granted(record) => return Ok(Some((held, record, touch))),
                Acquired::Absent => {
                    held.lease.is_open = false;
                    return Ok(None);
                }
                Acquired::Busy(freed) => {
                    let end = *until.get_or_insert_with(|| Instant::now() + timing.wait);
                    if Box::pin(tokio::time::timeout_at(end, freed)).await.is_err() {
                        held.lease.is_open = false;
                        return Err(Error::Busy);
                    }
                }
            }
        }
    }

    /// Stores the record and gives up the lease, in one step.
    pub(crate) async fn save(mut self, expected: u64, record: Record, touch: Touch) -> Result<(), Error> {
        self.settle().await?;
        let client = Arc::clone(&self.lease.client);
        let key = self.lease.key;
        let _writing = client.writing(&key);
        self.save_and_give_up(&client, expected, record, touch, None).await
    }

    /// Stores the record. Where others of this process wait, the next of them goes on with it and with the lease, unless
    /// this process has kept the lease for long.
    pub(crate) async fn save_and_pass_on(mut self, expected: u64, record: Record, touch: Touch) -> Result<(), Error> {
        let client = Arc::clone(&self.lease.client);
        let key = self.lease.key;
        let _writing = client.writing(&key);
        let arrived = self.turn.is_waited_for();
        let Some(keeping) = client.store.keeping().filter(|_| arrived.is_some() || self.batch.is_some()) else {
            return self.save_and_give_up(&client, expected, record, touch, None).await;
        };
        if let Some((batch, _)) = &self.batch {
            let (confirmed, is_contended) = batch.confirmed();
            self.lease.run.confirm(confirmed, is_contended);
        }
        let confirmed = Confirmed { arrived: arrived.unwrap_or(0), asked: Instant::now() };
        let asked = confirmed.asked;
        if !self.lease.run.goes_on(asked) {
            self.settle().await?;
            let pause = self.lease.run.pause(asked);
            return self.save_and_give_up(&client, expected, record, touch, pause).await;
        }
        if self.may_run_ahead()
            && let Ok(runtime) = Handle::try_current()
        {
            return Box::pin(self.save_in_batch(&runtime, expected, record, touch)).await;
        }
        self.settle().await?;
        let saved = keeping.save_and_keep(&key, self.lease.at(touch.now), expected, record.clone(), touch);
        let mut saved = pin!(client.within(saved));
        let first = poll_fn(|cx| Poll::Ready(saved.as_mut().poll(cx))).await;
        let is_slow = first.is_pending();
        let kept = match first {
            Poll::Ready(kept) => kept,
            Poll::Pending => saved.await,
        };
        let is_contended = match self.turn.share(kept)? {
            Kept::Alone => false,
            Kept::Contended => true,
            Kept::Not(written) => return self.saved(expected, written).await.map(drop),
        };
        self.lease.run.saved(asked, is_contended);
        if is_slow {
            self.lease.run.confirm(confirmed, is_contended);
        }
        let Self { lease, batch: _, state: _, turn } = self;
        turn.pass_on(PassedLease { lease, record, asked, batch: None });
        Ok(())
    }

    /// Whether the next request may run before the record is stored, or one has.
    fn may_run_ahead(&self) -> bool {
        let confirmed = self.lease.run.confirmed();
        self.batch.is_some() || confirmed.is_some_and(|confirmed| self.turn.next_was_among(confirmed.arrived))
    }

    /// Stores the record together with those of others. The next request goes on with it at once, if it came early enough,
    /// and else when it is stored.
    async fn save_in_batch(
        mut self,
        runtime: &Handle,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<(), Error> {
        let Some(confirmed) = self.lease.run.confirmed() else { return Err(Error::LeaseLost) };
        let version = record.version;
        let batch = match self.batch.take() {
            Some((batch, _)) => batch,
            None => Batch::open(self.turn.queue(), &mut self.lease, &self.state, expected, confirmed),
        };
        self.lease.run.saved(Instant::now(), false);
        batch.add(runtime, record.clone(), touch);
        if !batch.has_failed() && self.turn.next_was_among(confirmed.arrived) {
            let Self { lease, batch: _, state: _, turn } = self;
            let asked = confirmed.asked;
            turn.pass_on(PassedLease { lease, record, asked, batch: Some(Arc::clone(&batch)) });
            return batch.committed(version).await;
        }
        self.batch = Some((batch, version));
        self.settle().await?;
        let (run, now) = (self.lease.run, Instant::now());
        let Self { lease, batch: _, state: _, turn } = self;
        match run.confirmed().filter(|_| lease.is_open) {
            Some(Confirmed { asked, arrived: _ }) if run.goes_on(now) && turn.is_waited_for().is_some() => {
                turn.pass_on(PassedLease { lease, record, asked, batch: None });
            }
            _ => {
                drop(lease);
                if let Some(pause) = run.pause(now) {
                    turn.stand_back(pause);
                }
            }
        }
        Ok(())
    }

    /// Waits until the record that was read is stored.
    ///
    /// # Errors
    /// It could not be stored: what was read has never been. It was a write of others, so whatever the store has done of it,
    /// nothing has been asked of the store here.
    pub(crate) async fn committed(&self) -> Result<(), Error> {
        match &self.batch {
            None => Ok(()),
            Some((batch, version)) => {
                let committed = self.turn.share(Box::pin(batch.committed(*version)).await);
                committed.map_err(|error| match error {
                    Error::Unavailable(error) => Error::Unavailable(error.of_one_before()),
                    refused => refused,
                })
            }
        }
    }

    /// The same, and the lease is back from the batch.
    ///
    /// # Errors
    /// As [`HeldLease::committed`].
    pub(crate) async fn settle(&mut self) -> Result<(), Error> {
        self.committed().await?;
        if let Some((batch, _)) = self.batch.take() {
            batch.give_back(&mut self.lease);
            let (confirmed, is_contended) = batch.confirmed();
            self.lease.run.confirm(confirmed, is_contended);
        }
        Ok(())
    }

    /// What it has read, where that is not known to be stored.
    pub(crate) fn unsaved(&self) -> Option<Unsaved> {
        self.batch.clone().map(Unsaved)
    }

    async fn save_and_give_up(
        self,
        client: &StoreClient,
        expected: u64,
        record: Record,
        touch: Touch,
        pause: Option<Duration>,
    ) -> Result<(), Error> {
        let leases = client.store.leases().ok_or_else(no_leases)?;
        let saved = leases.save(&self.lease.key, self.lease.at(touch.now), expected, record, touch);
        let written = self.turn.share(client.within(saved).await)?;
        let turn = self.saved(expected, written).await?;
        if let Some(pause) = pause {
            turn.stand_back(pause);
        }
        Ok(())
    }

    /// What came of a save that has given up the lease.
    async fn saved(mut self, expected: u64, written: Written) -> Result<Turn, Error> {
        let refused = match written {
            Written::Done => None,
            Written::Conflict => Some(why_refused(&self.lease.client, &self.lease.key, &self.state, expected).await),
            Written::Absent => Some(Error::Ended),
        };
        self.lease.is_open = false;
        refused.map_or(Ok(self.turn), Err)
    }

    /// Gives up the lease and waits until that is done. If the store can't be reached it is tried once more, and then the
    /// lease runs out by itself: nothing that somebody asked for has failed.
    ///
    /// # Errors
    /// What was read could not be stored.
    pub(crate) async fn release(mut self) -> Result<(), Error> {
        self.settle().await?;
        let TakenLease { client, key, .. } = &self.lease;
        let Some(leases) = client.store.leases() else { return Ok(()) };
        let released = client.within(leases.release(key, self.lease.at(client.now()))).await;
        if self.turn.share(released).is_ok() {
            self.lease.is_open = false;
        }
        Ok(())
    }

    /// What keeps this lease alive while a handler runs.
    pub(crate) fn keeper(&self) -> LeaseKeeper {
        LeaseKeeper {
            client: Arc::clone(&self.lease.client),
            key: self.lease.key,
            holder: self.lease.holder,
            ttl: self.lease.ttl,
            state: Arc::clone(&self.state),
        }
    }

    pub(crate) fn state(&self) -> &Arc<LeaseState> {
        &self.state
    }
}

fn no_leases() -> Error {
    // Builders refuse such a backend for a type whose handlers may borrow exclusively.
    Error::Unavailable(BackendError::new("this backend has no leases"))
}
