//! The contract of a backend in terms of statements, the same for every database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use super::batch::Batches;
use super::dialect::{Names, Sql, Statements};
use super::driver::{Columns, Driver, Mode, SqlValue, StatementResult};
use super::failure::{Failed, failure, is_broken, is_collision, is_missing_table};
use super::many::Many;
use super::pool::Pool;
use super::probe::{Probe, names_are_apart, probe};
use super::schema;
use super::waiting::{LeaseState, Pauses, Waiting};
use crate::backend::{BackendError, Holder, OpenError, Record, RecordKey, Touch, Written, touch_interval};
use crate::clock::Timestamp;

/// Sessions in two tables: the records, and one row that knows the schema's version and who sweeps.
pub(super) struct SqlStore<D: Driver> {
    reads: Arc<Pool<D>>,
    pub(super) writes: Arc<Pool<D>>,
    pub(super) statements: Statements,
    pub(super) takes: Batches<D>,
    pub(super) saves: Batches<D>,
    pub(super) mode: Mode,
    /// Whether the tables are known to be there, and the right to see to it.
    ready: AtomicBool,
    preparing: Mutex<()>,
    pub(super) waiting: Arc<Waiting>,
    /// The name under which this store sweeps.
    pub(super) sweeper: Holder,
}

/// How often a statement is tried that was undone because of another one: under serializable isolation that is what
/// becomes of all but one of many at once.
const TRIES: usize = 12;
/// How often a statement is tried whose connection breaks.
const CONNECTIONS: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

/// What a statement did, in the end.
pub(super) struct Outcome<D: Driver> {
    pub(super) result: StatementResult<D>,
    /// An earlier attempt broke half-way: whether the database has carried it out, too, is not known.
    pub(super) repeated: bool,
}

impl<D: Driver> SqlStore<D> {
    /// A store of these tables. Nothing is asked of the database yet.
    pub(super) fn new(reads: Arc<Pool<D>>, writes: Arc<Pool<D>>, table: &str, mode: Mode) -> Result<Self, OpenError> {
        let (dialect, names) = (&D::DIALECT, Names::new(&D::DIALECT, table)?);
        Ok(Self {
            reads,
            writes,
            statements: Statements::new(dialect, &names),
            takes: Batches::new(dialect.at_once, dialect.many.map(|form| Many::take(form, dialect, &names))),
            saves: Batches::new(dialect.at_once, dialect.many.map(|form| Many::save(form, dialect, &names))),
            mode,
            ready: AtomicBool::new(false),
            preparing: Mutex::new(()),
            waiting: Arc::default(),
            sweeper: Holder::new(),
        })
    }

    /// Prepares no statements from now on.
    pub(super) fn send_as_text(&mut self) {
        self.mode = Mode::Text;
    }

    #[cfg(test)]
    pub(super) fn shares_connections_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reads, &other.reads) && Arc::ptr_eq(&self.writes, &other.writes)
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

    /// Connects, makes the tables if they are missing, and runs each kind of statement once.
    pub(super) async fn probe(&self) -> Result<(), Probe> {
        self.prepare().await?;
        let mut tries = 1;
        loop {
            match probe(&self.writes, &self.statements).await {
                Err(Probe::Failed(error)) if is_collision(&error) && tries < TRIES => tries += 1,
                outcome => break outcome?,
            }
        }
        match (&*self.writes, self.mode) {
            // How an application's pool reaches the database, it says afterwards.
            (Pool::Own(_), Mode::Prepared) => names_are_apart(&self.writes, &self.statements).await,
            (Pool::Handed(_), _) | (_, Mode::Text) => Ok(()),
        }
    }

    /// Runs a statement, again if it was undone because of another one, or on another connection if its own broke.
    ///
    /// A write that broke may have been carried out all the same, or may still be. Each is conditional, so that at
    /// most one of two attempts changes anything; who needs to know which one looks at [`Outcome::repeated`].
    pub(super) async fn run(&self, kind: Purpose, sql: &Sql, values: &[SqlValue<'_>]) -> Result<Outcome<D>, Failed> {
        self.run_noted(kind, sql, values, &AtomicBool::new(false)).await
    }

    /// The same, and notes while it runs whether the database may be carrying it out.
    pub(super) async fn run_noted(
        &self,
        kind: Purpose,
        sql: &Sql,
        values: &[SqlValue<'_>],
        is_sent: &AtomicBool,
    ) -> Result<Outcome<D>, Failed> {
        self.prepare().await?;
        self.attempt(kind, sql, values, is_sent).await
    }

    /// The same, of a database that is left as it is if the tables are missing.
    pub(super) async fn attempt(
        &self,
        kind: Purpose,
        sql: &Sql,
        values: &[SqlValue<'_>],
        is_sent: &AtomicBool,
    ) -> Result<Outcome<D>, Failed> {
        let pool = if kind == Purpose::Read { &self.reads } else { &self.writes };
        let (mut collisions, mut breaks, mut repeated) = (0, 0, false);
        let mut pauses = Pauses::new();
        loop {
            let mut pooled = pool.get().await?;
            is_sent.store(true, Ordering::Relaxed);
            let error = match D::run(pooled.connection(), sql, values, self.mode).await {
                Ok(result) => {
                    pooled.keep();
                    return Ok(Outcome { result, repeated });
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
            let collided = is_collision(&error);
            collisions += usize::from(collided);
            breaks += usize::from(broken);
            if !(collided || broken) || collisions == TRIES || breaks == CONNECTIONS {
                return Err(Failed { error, repeated });
            }
            repeated |= broken;
            is_sent.store(repeated, Ordering::Relaxed);
            // Those that collided don't try again in step.
            if collisions > 1 {
                tokio::time::sleep(pauses.next()).await;
            }
        }
    }

    /// Runs a statement that changes a row, and says whether it found it.
    pub(super) async fn changed(&self, sql: &Sql, values: &[SqlValue<'_>]) -> Result<bool, BackendError> {
        Ok(self.run(Purpose::Write, sql, values).await?.result.affected > 0)
    }

    pub(super) async fn row(&self, sql: &Sql, values: &[SqlValue<'_>]) -> Result<Option<D::Row>, BackendError> {
        Ok(self.run(Purpose::Read, sql, values).await?.result.rows.pop())
    }

    /// Whether this is what is stored: an attempt at writing it of which no answer came was carried out.
    ///
    /// # Errors
    /// What is stored is newer, so that nobody knows.
    pub(super) async fn is_stored(&self, key: &RecordKey, record: &Record) -> Result<bool, BackendError> {
        match self.peek(key).await? {
            Some(stored) if stored.version > record.version => Err(BackendError::new(
                "the connection to the database was lost, and whether the session was stored is not known",
            )),
            Some(stored) => Ok(stored.version == record.version && stored.body == record.body),
            None => Ok(false),
        }
    }

    pub(super) async fn state(&self, key: &RecordKey) -> Result<Option<LeaseState>, BackendError> {
        let Some(row) = self.row(&self.statements.state, &[key.as_bytes().into()]).await? else { return Ok(None) };
        let state = || -> Result<LeaseState, sqlx::Error> {
            let (is_marked, version) = (row.number(3)? == Some(1), row.number(4)?);
            let is_kept = !row.left(0)?.is_zero();
            Ok(LeaseState { is_kept, holder: row.bytes(1)?, left: row.left(2)?, is_marked, version })
        };
        state().map(Some).map_err(failure)
    }

    pub(super) async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let values = [
            key.as_bytes().into(),
            version(record.version),
            record.last_seen.into(),
            record.expires.into(),
            keep(record.last_seen, record.expires, touch).into(),
            SqlValue::Bytes(&record.body),
        ];
        match self.run(Purpose::Write, &self.statements.create, &values).await {
            Ok(_) => Ok(true),
            Err(Failed { error: sqlx::Error::Database(error), repeated }) if error.is_unique_violation() => {
                Ok(repeated && self.is_stored(key, &record).await?)
            }
            Err(failed) => Err(failed.into()),
        }
    }

    pub(super) async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        let Some(row) = self.row(&self.statements.load, &[key.as_bytes().into()]).await? else { return Ok(None) };
        self.used(key, &row, touch).await.map(Some)
    }

    pub(super) async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        let row = self.row(&self.statements.load, &[key.as_bytes().into()]).await?;
        row.map(|row| read(&row).map_err(failure)).transpose()
    }

    /// The record in a row. The time of this use is written, when it is due: when the record shows it to be, or the
    /// database would forget the record too early, since a machine whose clock is ahead used it last. The version sees
    /// to it that no later expiry is overwritten, and the comparison that of many uses at once one is written.
    pub(super) async fn used(&self, key: &RecordKey, row: &D::Row, touch: Touch) -> Result<Record, BackendError> {
        let (record, left) = (read(row).map_err(failure)?, row.left(KEPT).map_err(failure)?);
        let interval = touch_interval(touch.idle);
        let keep = keep(touch.now, record.expires, touch);
        let is_due = touch.now.since(record.last_seen) >= interval.max(Duration::from_millis(1))
            || left.saturating_add(interval) < keep;
        if is_due && touch.is_live(&record, interval) {
            let now = touch.now.into();
            let (id, expected) = (key.as_bytes().into(), version(record.version));
            let late = keep.saturating_sub(interval).into();
            self.changed(&self.statements.touch, &[now, now, keep.into(), id, expected, now, late]).await?;
        }
        Ok(record)
    }

    /// By the statement that knows of leases, or the one that does not.
    pub(super) async fn update(
        &self,
        statement: &Sql,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let values = [
            version(record.version),
            record.last_seen.into(),
            record.expires.into(),
            keep(record.last_seen, record.expires, touch).into(),
            SqlValue::Bytes(&record.body),
            key.as_bytes().into(),
            version(expected),
        ];
        let outcome = self.run(Purpose::Write, statement, &values).await?;
        if outcome.result.affected > 0 || outcome.repeated && self.is_stored(key, &record).await? {
            return Ok(Written::Done);
        }
        let live = self.state(key).await?.is_some_and(|state| state.is_kept);
        Ok(if live { Written::Conflict } else { Written::Absent })
    }

    pub(super) async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        let outcome = self.run(Purpose::Write, &self.statements.delete, &[key.as_bytes().into()]).await?;
        self.waiting.wake(key);
        // What an attempt without an answer may have removed was there.
        Ok(outcome.result.affected > 0 || outcome.repeated)
    }
}

/// For how long from this use on the database has to keep the record: in a column of its own, so that sweeping needs
/// one index and no knowledge of the idle timeouts of all the types whose sessions share a table. It is a difference
/// between times of one machine, so that it is right even where that machine's clock is not.
pub(super) fn keep(last_seen: Timestamp, expires: Timestamp, touch: Touch) -> Duration {
    let idle = touch.idle.saturating_add(touch_interval(touch.idle));
    expires.min(last_seen.plus(idle)).since(touch.now).min(idle)
}

/// The column of a record's row that says how long it is still kept.
const KEPT: usize = 4;

/// Versions are compared for equality only, so the sign doesn't matter.
pub(super) fn version(version: u64) -> SqlValue<'static> {
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
