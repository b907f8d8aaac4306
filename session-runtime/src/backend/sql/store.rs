//! The contract of a backend in terms of statements, the same for every database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::dialect::{Names, Statements};
use super::driver::{Columns, Driver, SqlValue, StatementResult};
use super::failure::{failure, is_broken, is_collision, is_missing_table};
use super::pool::Pool;
use super::schema;
use super::waiting::{Pauses, Waiter, Waiting};
use crate::backend::{
    Acquired, BackendError, Holder, Lease, OpenError, Record, RecordKey, Touch, Written, touch_interval,
};
use crate::clock::Timestamp;

/// Sessions in two tables: the records, and one row that knows the schema's version and who sweeps.
pub(super) struct SqlStore<D: Driver> {
    reads: Arc<Pool<D>>,
    writes: Arc<Pool<D>>,
    statements: Statements,
    /// Whether the tables are known to be there, and the right to see to it.
    ready: AtomicBool,
    preparing: Mutex<()>,
    waiting: Arc<Waiting>,
    /// The name under which this store sweeps.
    sweeper: Holder,
}

/// How often a statement is tried that was undone because of another one.
const TRIES: usize = 4;
/// How long one look at somebody else's lease may take.
const LOOK: Duration = Duration::from_secs(1);
/// A sweep that isn't over after this time was given up, and another process may sweep.
const SWEEPING: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
}

/// What there is to know about a record without reading it.
struct LeaseState {
    keep_until: Timestamp,
    holder: Option<Vec<u8>>,
    lease_until: Timestamp,
}

impl LeaseState {
    fn is_held_by_another(&self, lease: Lease) -> bool {
        let another = self.holder.as_deref().is_some_and(|holder| holder != lease.holder.to_bytes());
        another && lease.now < self.lease_until
    }
}

impl<D: Driver> SqlStore<D> {
    /// A store of these tables. Nothing is asked of the database yet.
    pub(super) fn new(reads: Arc<Pool<D>>, writes: Arc<Pool<D>>, table: &str) -> Result<Self, OpenError> {
        Ok(Self {
            reads,
            writes,
            statements: Statements::new(&D::DIALECT, &Names::new(&D::DIALECT, table)?),
            ready: AtomicBool::new(false),
            preparing: Mutex::new(()),
            waiting: Arc::default(),
            sweeper: Holder::new(),
        })
    }

    /// Connects, and makes the tables if they are missing.
    pub(super) async fn prepare(&self) -> Result<(), sqlx::Error> {
        if self.ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let _alone = self.preparing.lock().await;
        if !self.ready.load(Ordering::Acquire) {
            schema::prepare(&self.writes, &self.statements).await?;
            self.ready.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Runs a statement, again if it was undone because of another one. A read is repeated on another
    /// connection if its own was broken; a write may have happened all the same.
    async fn run(
        &self,
        kind: Purpose,
        sql: &Arc<str>,
        values: &[SqlValue<'_>],
    ) -> Result<StatementResult<D>, sqlx::Error> {
        self.prepare().await?;
        let pool = if kind == Purpose::Read { &self.reads } else { &self.writes };
        let mut tries = 0;
        loop {
            let mut pooled = pool.get().await?;
            let error = match D::run(&mut pooled.connection, sql, values).await {
                Ok(answer) => {
                    pooled.keep();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let broken = is_broken(&error);
            if broken {
                pool.abandon();
            } else {
                pooled.keep();
            }
            if is_missing_table(&error) {
                self.ready.store(false, Ordering::Release);
            }
            tries += 1;
            if tries == TRIES || !(is_collision(&error) || broken && kind == Purpose::Read) {
                return Err(error);
            }
        }
    }

    /// Whether a statement found the row that it was to change.
    async fn changed(&self, sql: &Arc<str>, values: &[SqlValue<'_>]) -> Result<bool, BackendError> {
        Ok(self.run(Purpose::Write, sql, values).await.map_err(failure)?.affected > 0)
    }

    async fn row(&self, sql: &Arc<str>, values: &[SqlValue<'_>]) -> Result<Option<D::Row>, BackendError> {
        Ok(self.run(Purpose::Read, sql, values).await.map_err(failure)?.rows.pop())
    }

    async fn state(&self, key: &RecordKey) -> Result<Option<LeaseState>, BackendError> {
        let Some(row) = self.row(&self.statements.state, &[key.as_bytes().into()]).await? else { return Ok(None) };
        let state = || -> Result<LeaseState, sqlx::Error> {
            Ok(LeaseState { keep_until: row.time(0)?, holder: row.bytes(1)?, lease_until: row.time(2)? })
        };
        state().map(Some).map_err(failure)
    }

    pub(super) async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let values = [
            key.as_bytes().into(),
            version(record.version),
            record.last_seen.into(),
            record.expires.into(),
            keep_until(record.last_seen, record.expires, touch.idle).into(),
            SqlValue::Bytes(&record.body),
        ];
        match self.run(Purpose::Write, &self.statements.create, &values).await {
            Ok(_) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(failure(error)),
        }
    }

    pub(super) async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        let Some(record) = self.peek(key).await? else { return Ok(None) };
        self.note_use(key, &record, touch).await?;
        Ok(Some(record))
    }

    pub(super) async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        let row = self.row(&self.statements.load, &[key.as_bytes().into()]).await?;
        row.map(|row| read(&row).map_err(failure)).transpose()
    }

    /// Writes the time of this use into the record, when it is due. The version sees to it that no later
    /// expiry is overwritten, and the comparison that of many uses at once one is written.
    async fn note_use(&self, key: &RecordKey, record: &Record, touch: Touch) -> Result<(), BackendError> {
        let slack = touch_interval(touch.idle);
        if touch.now.since(record.last_seen) < slack.max(Duration::from_millis(1)) || !touch.is_live(record, slack) {
            return Ok(());
        }
        let now = touch.now.into();
        let keep_until = keep_until(touch.now, record.expires, touch.idle).into();
        let values = [now, keep_until, key.as_bytes().into(), version(record.version), now];
        self.changed(&self.statements.touch, &values).await.map(drop)
    }

    pub(super) async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let values = [
            version(record.version),
            record.last_seen.into(),
            record.expires.into(),
            keep_until(record.last_seen, record.expires, touch.idle).into(),
            SqlValue::Bytes(&record.body),
            key.as_bytes().into(),
            version(expected),
            touch.now.into(),
        ];
        if self.changed(&self.statements.update, &values).await? {
            return Ok(Written::Done);
        }
        let live = self.state(key).await?.is_some_and(|state| touch.now < state.keep_until);
        Ok(if live { Written::Conflict } else { Written::Absent })
    }

    pub(super) async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        let found = self.changed(&self.statements.delete, &[key.as_bytes().into()]).await?;
        self.waiting.wake(key);
        Ok(found)
    }

    pub(super) async fn acquire(
        self: &Arc<Self>,
        key: &RecordKey,
        lease: Lease,
        touch: Touch,
    ) -> Result<Acquired, BackendError> {
        loop {
            if let Some(record) = self.take(key, lease).await? {
                self.note_use(key, &record, touch).await?;
                return Ok(Acquired::Granted(record));
            }
            // Before the look, so that a lease that is given up after it is heard of.
            let wake = self.waiting.listen(key);
            match self.state(key).await? {
                Some(state) if lease.now < state.keep_until => {
                    if state.is_held_by_another(lease) {
                        let left = state.lease_until.since(lease.now);
                        let freed = Arc::clone(self).freed(*key, state.holder, wake);
                        return Ok(Acquired::Busy(Box::pin(async move {
                            let _ = timeout(left, freed).await;
                        })));
                    }
                    // It was given up between the two statements.
                }
                _ => return Ok(Acquired::Absent),
            }
        }
    }

    /// Takes the lease if it is free, and reads the record.
    async fn take(&self, key: &RecordKey, lease: Lease) -> Result<Option<Record>, BackendError> {
        let holder = lease.holder.to_bytes();
        let now = lease.now.into();
        let until = lease.now.plus(lease.ttl).into();
        let values = [(&holder).into(), until, key.as_bytes().into(), now, (&holder).into(), now];
        let answer = self.run(Purpose::Write, &self.statements.take, &values).await.map_err(failure)?;
        let row = if D::DIALECT.returning {
            answer.rows.into_iter().next()
        } else if answer.affected > 0 {
            self.row(&self.statements.load, &[key.as_bytes().into()]).await?
        } else {
            None
        };
        row.map(|row| read(&row).map_err(failure)).transpose()
    }

    /// Waits until that holder's lease is over: hears it from this process, looks for it otherwise.
    async fn freed(self: Arc<Self>, key: RecordKey, holder: Option<Vec<u8>>, mut wake: Waiter) {
        let mut pauses = Pauses::new();
        while !wake.within(pauses.next()).await {
            match timeout(LOOK, self.state(&key)).await {
                Ok(Ok(Some(state))) if state.holder == holder => {}
                // It is another's now, or there is something wrong: asking for the lease will tell.
                _ => return,
            }
        }
    }

    pub(super) async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        let holder = lease.holder.to_bytes();
        let until = lease.now.plus(lease.ttl).into();
        let values = [until, key.as_bytes().into(), (&holder).into(), lease.now.into()];
        self.changed(&self.statements.extend, &values).await
    }

    pub(super) async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let holder = lease.holder.to_bytes();
        let values = [
            version(record.version),
            record.last_seen.into(),
            record.expires.into(),
            keep_until(record.last_seen, record.expires, touch.idle).into(),
            SqlValue::Bytes(&record.body),
            key.as_bytes().into(),
            version(expected),
            (&holder).into(),
            lease.now.into(),
            touch.now.into(),
        ];
        if self.changed(&self.statements.save, &values).await? {
            self.waiting.wake(key);
            return Ok(Written::Done);
        }
        match self.state(key).await? {
            Some(state) if touch.now < state.keep_until => {
                if state.holder.as_deref() == Some(&holder) {
                    self.release(key, lease).await?;
                }
                Ok(Written::Conflict)
            }
            _ => Ok(Written::Absent),
        }
    }

    pub(super) async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        let holder = lease.holder.to_bytes();
        if self.changed(&self.statements.release, &[key.as_bytes().into(), (&holder).into()]).await? {
            self.waiting.wake(key);
        }
        Ok(())
    }

    /// Forgets what has expired, unless somebody else is at it.
    pub(super) async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, BackendError> {
        let sweeper = self.sweeper.to_bytes();
        let me = SqlValue::from(&sweeper);
        if !self.changed(&self.statements.claim, &[me, now.plus(SWEEPING).into(), me, now.into()]).await? {
            return Ok(0);
        }
        let swept = self.forget_expired(now, limit).await;
        self.changed(&self.statements.unclaim, &[me]).await?;
        swept
    }

    /// A look that locks nothing, then removals by key that ask again: whoever uses a record meanwhile
    /// waits for one short statement at the most, and no two can wait for each other.
    async fn forget_expired(&self, now: Timestamp, limit: usize) -> Result<usize, BackendError> {
        let limit = SqlValue::Number(i64::try_from(limit).unwrap_or(i64::MAX));
        let expired = self.run(Purpose::Read, &self.statements.expired, &[now.into(), limit]).await.map_err(failure)?;
        let keys = expired.rows.iter().map(|row| Ok(row.bytes(0)?.unwrap_or_default()));
        let keys = keys.collect::<Result<Vec<_>, sqlx::Error>>().map_err(failure)?;
        let mut swept = 0;
        for batch in keys.chunks(Statements::BATCH) {
            // The statement has as many places as a full batch: the last key fills what is left of them.
            let places = (0..Statements::BATCH).map(|place| &batch[place.min(batch.len() - 1)]);
            let values: Vec<_> = places.map(|key| SqlValue::Bytes(key)).chain([now.into()]).collect();
            let removed = self.run(Purpose::Write, &self.statements.forget, &values).await.map_err(failure)?.affected;
            swept += usize::try_from(removed).unwrap_or(usize::MAX);
        }
        Ok(swept)
    }
}

/// From when on nobody may use the record: in a column of its own, so that sweeping needs one index and
/// no knowledge of the idle timeouts of all the types whose sessions share a table.
fn keep_until(last_seen: Timestamp, expires: Timestamp, idle: Duration) -> Timestamp {
    expires.min(last_seen.plus(idle.saturating_add(touch_interval(idle))))
}

/// Versions are compared for equality only, so the sign doesn't matter.
fn version(version: u64) -> SqlValue<'static> {
    SqlValue::Number(version.cast_signed())
}

pub(super) fn read(row: &impl Columns) -> Result<Record, sqlx::Error> {
    Ok(Record {
        version: row.number(0)?.unwrap_or(0).cast_unsigned(),
        last_seen: row.time(1)?,
        expires: row.time(2)?,
        body: row.bytes(3)?.unwrap_or_default().into(),
    })
}
