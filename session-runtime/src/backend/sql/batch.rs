//! Calls about many sessions in one statement, so that they share a round trip and a commit.
//!
//! A call that comes while no other runs is a statement of its own, at once. Those that come meanwhile wait for it, and
//! are one statement then: the slower the database, the more of them. What became of a call is read from the rows that
//! the statement returns. Whatever it does not say of a call, and whatever fails, is left to a statement of the call's own:
//! an error that is one session's is no other's, and each call is answered only once its own change is committed.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::driver::{Columns as _, Driver, SqlValue};
use super::failure::{Failed, is_broken, is_not_understood};
use super::many::{Many, ManyStatements};
use super::store::SqlStore;
use crate::id::RecordKey;

/// How long a call waits to be part of a statement. Where those that run take longer, it is one of its own, on another
/// connection: one that hangs holds up nobody else.
const PATIENCE: Duration = Duration::from_millis(100);
/// How many bytes of records there are in one statement, unless one record alone has more.
const MOST_BYTES: usize = 256 * 1024;

/// What calls ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Take,
    Save,
}

/// A value that its call no longer borrows.
pub(super) enum OwnValue {
    Number(i64),
    Holder([u8; 16]),
    Key(RecordKey),
    Body(Bytes),
}

impl OwnValue {
    pub(super) fn borrow(&self) -> SqlValue<'_> {
        match self {
            Self::Number(number) => SqlValue::Number(*number),
            Self::Holder(holder) => holder.into(),
            Self::Key(key) => key.as_bytes().into(),
            Self::Body(body) => SqlValue::Bytes(body),
        }
    }

    /// A value of the same type for a row that stands for no call: no record has an empty name.
    pub(super) fn blank(&self) -> SqlValue<'_> {
        match self {
            Self::Number(_) => SqlValue::Number(0),
            _ => SqlValue::Bytes(&[]),
        }
    }
}

impl From<SqlValue<'_>> for OwnValue {
    fn from(value: SqlValue<'_>) -> Self {
        match value {
            SqlValue::Number(number) => Self::Number(number),
            SqlValue::Bytes(bytes) => Self::Body(Bytes::copy_from_slice(bytes)),
        }
    }
}

impl From<Duration> for OwnValue {
    fn from(duration: Duration) -> Self {
        SqlValue::from(duration).into()
    }
}

/// What one call asks for: its row of the statement.
pub(super) struct Call {
    pub(super) key: RecordKey,
    pub(super) values: Vec<OwnValue>,
}

impl Call {
    /// For how long a lease is taken.
    fn ttl(&self) -> Duration {
        let ttl = match self.values[..] {
            [_, OwnValue::Holder(_), OwnValue::Number(ttl)] => u64::try_from(ttl).unwrap_or(0),
            _ => 0,
        };
        Duration::from_millis(ttl)
    }

    /// Whether a save keeps the lease.
    pub(super) fn keeps(&self) -> bool {
        matches!(self.values.last(), Some(OwnValue::Number(ttl)) if *ttl >= 0)
    }

    fn bytes(&self) -> usize {
        self.values.iter().map(|value| if let OwnValue::Body(body) = value { body.len() } else { 0 }).sum()
    }
}

/// How a call goes on.
pub(super) enum Entry<D: Driver> {
    /// As a statement of its own. Others wait for it for as long as it has its place. If `repeated`, it may have been
    /// carried out already.
    Alone { repeated: bool, place: Option<Place<D>> },
    /// It is carried out, and this is its row, if the statement returned any.
    Done(Option<D::Row>),
}

struct Waiting<D: Driver> {
    call: Call,
    /// Which one of those that wait.
    number: u64,
    answer: oneshot::Sender<Entry<D>>,
}

struct Queue<D: Driver> {
    /// How many statements run.
    running: usize,
    next: u64,
    waiting: VecDeque<Waiting<D>>,
}

/// The calls of one kind.
pub(super) struct Batches<D: Driver> {
    queue: Mutex<Queue<D>>,
    /// How many statements run before further calls wait.
    limit: usize,
    /// `None` where each call is a statement of its own.
    many: Option<Many>,
    /// The database does not know the statement: each call is one of its own.
    refused: AtomicBool,
}

impl<D: Driver> Batches<D> {
    pub(super) fn new(limit: usize, many: Option<Many>) -> Self {
        let queue = Queue { running: 0, next: 0, waiting: VecDeque::new() };
        Self { queue: Mutex::new(queue), limit, many, refused: AtomicBool::new(false) }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<D>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No longer waits; `false` if a statement has taken the call.
    fn withdraw(&self, number: u64) -> bool {
        let mut queue = self.queue();
        let before = queue.waiting.len();
        queue.waiting.retain(|waiting| waiting.number != number);
        queue.waiting.len() < before
    }
}

impl<D: Driver> Queue<D> {
    /// The next calls, each of another session. Those that nobody waits for any more are not begun.
    fn next(&mut self, most: usize) -> Vec<Waiting<D>> {
        self.waiting.retain(|waiting| !waiting.answer.is_closed());
        let (mut batch, mut later, mut bytes) = (Vec::<Waiting<D>>::new(), VecDeque::new(), 0);
        while let Some(waiting) = self.waiting.pop_front() {
            let more = bytes + waiting.call.bytes();
            let is_another = batch.iter().all(|other| other.call.key != waiting.call.key);
            if is_another && batch.len() < most && (batch.is_empty() || more <= MOST_BYTES) {
                bytes = more;
                batch.push(waiting);
            } else {
                later.push_back(waiting);
            }
        }
        self.waiting = later;
        batch
    }
}

/// A place among the statements that run.
pub(super) struct Place<D: Driver> {
    store: Arc<SqlStore<D>>,
    purpose: Purpose,
    /// Whether those that wait are begun when it is given up.
    leads: bool,
}

impl<D: Driver> Drop for Place<D> {
    fn drop(&mut self) {
        let batches = self.store.batches(self.purpose);
        let mut queue = batches.queue();
        // Without a runtime those that wait go on by themselves before long.
        if let (true, false, Ok(runtime)) = (self.leads, queue.waiting.is_empty(), Handle::try_current()) {
            // The place goes over to the task. Should the runtime end, it is given up there.
            let place = Self { store: Arc::clone(&self.store), purpose: self.purpose, leads: false };
            drop(queue);
            runtime.spawn(place.lead());
        } else {
            queue.running -= 1;
        }
    }
}

impl<D: Driver> Place<D> {
    /// Runs statements for those that wait until nobody does.
    async fn lead(mut self) {
        loop {
            let batches = self.store.batches(self.purpose);
            let mut batch = batches.queue().next(batches.many.as_ref().map_or(1, Many::most));
            let (Some(first), more) = (batch.pop(), batch.len()) else { break };
            if more == 0 {
                // One needs no statement for many: it has the place from now on.
                self.leads = true;
                let _ = first.answer.send(Entry::Alone { repeated: false, place: Some(self) });
                return;
            }
            batch.push(first);
            match self.run(batch).await {
                Some(place) => self = place,
                None => return,
            }
        }
        // Who has come since the last look is seen when the place is given up.
        self.leads = true;
    }

    /// Runs a statement for these calls and answers each of them. When nobody waits for it any more it is given up, or goes on
    /// without the place.
    async fn run(mut self, mut batch: Vec<Waiting<D>>) -> Option<Self> {
        let store = Arc::clone(&self.store);
        let purpose = self.purpose;
        let (calls, mut answers): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|waiting| (waiting.call, waiting.answer)).unzip();
        let nobody_waits = async {
            for answer in &mut answers {
                answer.closed().await;
            }
        };
        let is_sent = AtomicBool::new(false);
        let mut statement = Box::pin(store.run_many(purpose, &calls, &is_sent));
        let mut outcome = match select(&mut statement, pin!(nobody_waits)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) if purpose == Purpose::Save || !is_sent.load(Ordering::Relaxed) => return Some(self),
            Either::Right(_) => {
                self.leads = true;
                drop(self);
                let ttl = calls.iter().map(Call::ttl).max().unwrap_or_default();
                let _ = store.end_alone(ttl, statement).await;
                for call in &calls {
                    store.release_call(call).await;
                }
                return None;
            }
        };
        drop(statement);
        let mut left = Vec::new();
        for (call, answer) in calls.iter().zip(answers) {
            let row = outcome.rows.iter().position(|(key, _)| key[..] == call.key.as_bytes()[..]);
            let entry = match row {
                Some(row) => Entry::Done(outcome.rows.swap_remove(row).1),
                None => Entry::Alone { repeated: outcome.repeated, place: None },
            };
            // Who has gone has been told that it failed.
            let gone = matches!(answer.send(entry), Err(Entry::Done(_) | Entry::Alone { repeated: true, .. }));
            if gone && purpose == Purpose::Take {
                left.push(call);
            }
        }
        // A lease that was taken all the same is given up here: a release that came before this statement was committed has
        // found nothing to give up. Everybody else has been answered by now.
        for call in left {
            store.release_call(call).await;
        }
        Some(self)
    }
}

/// What a statement for many calls did.
struct ManyOutcome<D: Driver> {
    /// The sessions whose calls are carried out, and the rows that it returned for them.
    rows: Vec<(Vec<u8>, Option<D::Row>)>,
    /// Whether what it does not tell of may have been carried out all the same.
    repeated: bool,
}

impl<D: Driver> SqlStore<D> {
    pub(super) fn batches(&self, purpose: Purpose) -> &Batches<D> {
        match purpose {
            Purpose::Take => &self.takes,
            Purpose::Save => &self.saves,
        }
    }

    /// Waits to be part of a statement, if as many as may run are running.
    pub(super) async fn enter(self: &Arc<Self>, purpose: Purpose, call: impl FnOnce() -> Call) -> Entry<D> {
        let batches = self.batches(purpose);
        let (number, mut answered) = {
            let mut queue = batches.queue();
            if batches.many.is_none() || batches.refused.load(Ordering::Relaxed) {
                return Entry::Alone { repeated: false, place: None };
            }
            if queue.running < batches.limit {
                queue.running += 1;
                let place = Place { store: Arc::clone(self), purpose, leads: true };
                return Entry::Alone { repeated: false, place: Some(place) };
            }
            let (answer, answered) = oneshot::channel();
            let number = queue.next;
            queue.next += 1;
            queue.waiting.push_back(Waiting { call: call(), number, answer });
            (number, answered)
        };
        let entry = match timeout(PATIENCE, &mut answered).await {
            Ok(entry) => entry,
            Err(_) if batches.withdraw(number) => return Entry::Alone { repeated: false, place: None },
            Err(_) => answered.await,
        };
        // No answer: the runtime that ran the statement has ended, perhaps after it was sent.
        entry.unwrap_or(Entry::Alone { repeated: true, place: None })
    }

    /// Gives up the lease that a call to take one has been granted.
    async fn release_call(&self, call: &Call) {
        if let [_, OwnValue::Holder(holder), ..] = call.values[..] {
            self.release_taken(&call.key, holder).await;
        }
    }

    async fn run_many(&self, purpose: Purpose, calls: &[Call], is_sent: &AtomicBool) -> ManyOutcome<D> {
        self.try_many(purpose, calls, is_sent).await.unwrap_or_else(|Failed { error, repeated }| {
            // Each call says by itself what is wrong. Of what this statement alone is to blame for, nobody is told.
            if is_not_understood(&error) {
                self.batches(purpose).refused.store(true, Ordering::Relaxed);
            }
            ManyOutcome { rows: Vec::new(), repeated }
        })
    }

    async fn try_many(&self, purpose: Purpose, calls: &[Call], is_sent: &AtomicBool) -> Result<ManyOutcome<D>, Failed> {
        let nothing = ManyOutcome { rows: Vec::new(), repeated: false };
        let Some(many) = &self.batches(purpose).many else { return Ok(nothing) };
        let Some(ManyStatements { change, query, is_counted }) = many.fill(calls) else { return Ok(nothing) };
        self.prepare().await?;
        let mut pooled = self.writes.get().await?;
        is_sent.store(true, Ordering::Relaxed);
        let mut outcome = D::run(pooled.connection(), change.sql, &change.values, self.mode).await;
        // What an error leaves open once something may have been changed.
        let mut repeated = outcome.as_ref().is_err_and(is_broken);
        let changed = outcome.as_ref().map_or(0, |result| result.affected);
        if let (Some(query), true) = (query, changed > 0) {
            repeated = true;
            outcome = D::run(pooled.connection(), query.sql, &query.values, self.mode).await;
        }
        if !outcome.as_ref().is_err_and(is_broken) {
            pooled.keep();
        }
        let rows = outcome.map_err(|error| Failed { error, repeated })?.rows.into_iter();
        let mut rows: Vec<_> = rows.filter_map(|row| Some((row.bytes(many.named).ok()??, Some(row)))).collect();
        if is_counted {
            if usize::try_from(changed) != Ok(calls.len()) {
                return Ok(nothing);
            }
            rows.extend(calls.iter().map(|call| (call.key.as_bytes().to_vec(), None)));
        }
        Ok(ManyOutcome { rows, repeated: false })
    }
}
