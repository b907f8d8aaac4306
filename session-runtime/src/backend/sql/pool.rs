//! Connections, kept for the next call.
//!
//! sqlx's own pool asks the server for a sign of life after every use. Here a connection is asked only
//! when it has been idle for a while, so that a read is one round trip; and one whose call was dropped
//! or failed half-way is not used again, so that a server that hangs can't use up the pool.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::Connection as _;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use super::driver::{Driver, Options};

pub(super) struct Pool<D: Driver> {
    options: Options<D>,
    /// The last one used is the next one used: what isn't needed grows old at the bottom.
    idle: Mutex<Vec<Idle<D>>>,
    permits: Semaphore,
    /// Whether connections can break while nobody uses them.
    remote: bool,
}

struct Idle<D: Driver> {
    connection: D::Connection,
    since: Instant,
}

/// How long a call waits for a connection at the most. The runtime's deadline is usually the shorter.
const PATIENCE: Duration = Duration::from_secs(1);
/// A connection that was idle for longer is asked whether it is still there.
const FRESH: Duration = Duration::from_secs(1);
/// How long it may take to say so.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);
/// A connection that was idle for longer is closed.
const STALE: Duration = Duration::from_secs(300);

impl<D: Driver> Pool<D> {
    /// At most this many connections, each made when it is needed.
    pub(super) fn new(options: Options<D>, most: usize, remote: bool) -> Self {
        Self { options, idle: Mutex::default(), permits: Semaphore::new(most), remote }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<D>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection for one use.
    pub(super) async fn get(&self) -> Result<Pooled<'_, D>, sqlx::Error> {
        // What needs no waiting costs no timer.
        if let Ok(permit) = self.permits.try_acquire()
            && let Some(connection) = self.pop_fresh()
        {
            return Ok(Pooled { connection, pool: self, _permit: permit });
        }
        timeout(PATIENCE, self.find()).await.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())))
    }

    fn pop_fresh(&self) -> Option<D::Connection> {
        let last = self.idle().pop_if(|idle| !self.remote || idle.since.elapsed() < FRESH);
        last.map(|idle| idle.connection)
    }

    async fn find(&self) -> Result<Pooled<'_, D>, sqlx::Error> {
        let permit = self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let connection = match self.pop_fresh() {
            Some(connection) => connection,
            None => match self.pop_alive().await {
                Some(connection) => connection,
                None => D::Connection::connect_with(&self.options).await?,
            },
        };
        Ok(Pooled { connection, pool: self, _permit: permit })
    }

    /// The youngest of those that have been idle for a while. If it is gone, so are the older ones.
    async fn pop_alive(&self) -> Option<D::Connection> {
        let mut connection = {
            let mut idle = self.idle();
            idle.retain(|idle| idle.since.elapsed() < STALE);
            idle.pop()?.connection
        };
        if let Ok(Ok(())) = timeout(SIGN_OF_LIFE, connection.ping()).await {
            return Some(connection);
        }
        self.abandon();
        None
    }

    /// Forgets every connection that isn't in use: one has broken, and what broke it broke them all.
    pub(super) fn abandon(&self) {
        let gone = std::mem::take(&mut *self.idle());
        drop(gone);
    }
}

/// A connection in use. It is closed when this is dropped, whatever state it is in; [`Pooled::keep`]
/// says that it is as good as new.
pub(super) struct Pooled<'a, D: Driver> {
    pub(super) connection: D::Connection,
    pool: &'a Pool<D>,
    _permit: SemaphorePermit<'a>,
}

impl<D: Driver> Pooled<'_, D> {
    pub(super) fn keep(self) {
        let Self { connection, pool, _permit } = self;
        pool.idle().push(Idle { connection, since: Instant::now() });
    }
}
