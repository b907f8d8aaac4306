//! Connections, kept for the next call.
//!
//! sqlx's own pool asks the server for a sign of life after every use. Here a connection is asked only
//! when it has been idle for a while, so that a read is one round trip; and one whose call was dropped
//! or failed half-way is not used again, so that a server that hangs can't use up the pool.
//!
//! An application may hand in its own pool instead. Then the connections and their settings are the application's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::pool::PoolConnection;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use super::driver::{Driver, Options};
use super::failure::is_full;

pub(super) enum Pool<D: Driver> {
    Own(OwnPool<D>),
    /// The application's.
    Handed(sqlx::Pool<D>),
}

/// How many connections there may be, and how long a call waits for one.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolSettings {
    pub(super) max_connections: usize,
    pub(super) acquire_timeout: Duration,
    /// Whether connections can break while nobody uses them.
    pub(super) remote: bool,
    /// Whether what is set on a connection stays there: a pooler may lend it to others.
    pub(super) lasting: bool,
}

pub(super) struct OwnPool<D: Driver> {
    options: Options<D>,
    settings: PoolSettings,
    /// The last one used is the next one used: what isn't needed grows old at the bottom.
    idle: Mutex<Vec<Idle<D>>>,
    permits: Semaphore,
    /// Logins take the server and this machine's processor: at many at once, all of them would be late. Who waits for
    /// its turn takes a connection that comes back meanwhile.
    logins: Semaphore,
    /// Wakes one who waits for a connection to come back.
    returned: Notify,
    /// Until when the server isn't asked for a further connection, since it has none left.
    full_until: Mutex<Option<Instant>>,
}

struct Idle<D: Driver> {
    connection: D::Connection,
    since: Instant,
}

/// How many connections are made at the same time.
const LOGINS: usize = 3;
/// A connection that was idle for longer is asked whether it is still there.
const FRESH: Duration = Duration::from_secs(1);
/// How long it may take to say so.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);
/// A connection that was idle for longer is closed.
const STALE: Duration = Duration::from_secs(300);
/// After how long a server that had no connection left is asked again.
const FULL: Duration = Duration::from_millis(200);

impl<D: Driver> Pool<D> {
    /// A pool whose connections are made when they are needed.
    pub(super) fn new(options: Options<D>, settings: PoolSettings) -> Arc<Self> {
        Arc::new(Self::Own(OwnPool {
            options,
            settings,
            idle: Mutex::default(),
            permits: Semaphore::new(settings.max_connections),
            logins: Semaphore::new(LOGINS),
            returned: Notify::new(),
            full_until: Mutex::default(),
        }))
    }

    /// A connection for one use.
    pub(super) async fn get(&self) -> Result<Pooled<'_, D>, sqlx::Error> {
        match self {
            Self::Own(pool) => pool.get().await,
            Self::Handed(pool) => Ok(Pooled::Handed(Handed { connection: pool.acquire().await?, is_kept: false })),
        }
    }

    pub(super) fn max_connections(&self) -> usize {
        match self {
            Self::Own(pool) => pool.settings.max_connections,
            Self::Handed(pool) => usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX),
        }
    }

    /// Forgets every connection that isn't in use: one has broken, and what broke it broke them all.
    pub(super) fn abandon(&self) {
        if let Self::Own(pool) = self {
            let gone = std::mem::take(&mut *pool.idle());
            drop(gone);
        }
    }
}

impl<D: Driver> Pool<D> {
    /// Lets another call have the place of one that nobody waits for any more and that goes on all the same.
    pub(super) fn lend(&self) {
        if let Self::Own(pool) = self {
            pool.permits.add_permits(1);
        }
    }

    /// Takes back what was lent, once that call has ended.
    pub(super) async fn settle(&self) {
        if let Self::Own(pool) = self
            && let Ok(permit) = pool.permits.acquire().await
        {
            permit.forget();
        }
    }
}

impl<D: Driver> OwnPool<D> {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle<D>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(&self) -> Result<Pooled<'_, D>, sqlx::Error> {
        // What needs no waiting costs no timer.
        if let Ok(permit) = self.permits.try_acquire()
            && let Some(connection) = self.pop_fresh()
        {
            return Ok(Pooled::Own { connection, pool: self, _permit: permit });
        }
        let end = Instant::now() + self.settings.acquire_timeout;
        let late = |_| sqlx::Error::PoolTimedOut;
        let permit =
            timeout_at(end, self.permits.acquire()).await.map_err(late)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let mut refused = None;
        let connection = timeout_at(end, self.find(&mut refused)).await;
        // Why the server gave no connection says more than that the time is over.
        let connection = connection.unwrap_or_else(|_| Err(refused.unwrap_or(sqlx::Error::PoolTimedOut)))?;
        Ok(Pooled::Own { connection, pool: self, _permit: permit })
    }

    fn pop_fresh(&self) -> Option<D::Connection> {
        let last = self.idle().pop_if(|idle| !self.settings.remote || idle.since.elapsed() < FRESH);
        last.map(|idle| idle.connection)
    }

    /// An idle connection, one that comes back, or a new one. A server that has no more to give is not asked for some
    /// time: those that there are come back.
    async fn find(&self, refused: &mut Option<sqlx::Error>) -> Result<D::Connection, sqlx::Error> {
        loop {
            if let Some(connection) = self.pop_fresh() {
                return Ok(connection);
            }
            if let Some(connection) = self.pop_alive().await {
                return Ok(connection);
            }
            tokio::select! {
                biased;
                () = self.returned.notified() => {}
                turn = self.turn() => match self.connect().await {
                    Ok(connection) => return Ok(connection),
                    Err(error) if is_full(&error) => {
                        *self.full_until() = Some(Instant::now() + FULL);
                        drop(turn);
                        *refused = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }

    fn full_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.full_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The turn to ask the server for a connection.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let turn = self.logins.acquire().await.ok();
        loop {
            let until = *self.full_until();
            match until {
                Some(until) if Instant::now() < until => tokio::time::sleep_until(until).await,
                _ => return turn,
            }
        }
    }

    async fn connect(&self) -> Result<D::Connection, sqlx::Error> {
        let mut connection = D::Connection::connect_with(&self.options).await?;
        if self.settings.lasting {
            for sql in D::DIALECT.settings {
                D::run_raw(&mut connection, sql).await?;
            }
        }
        Ok(connection)
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
        let gone = std::mem::take(&mut *self.idle());
        drop(gone);
        None
    }
}

/// A connection in use. It is closed when this is dropped, whatever state it is in; [`Pooled::keep`]
/// says that it is as good as new.
pub(super) enum Pooled<'a, D: Driver> {
    Own { connection: D::Connection, pool: &'a OwnPool<D>, _permit: SemaphorePermit<'a> },
    Handed(Handed<D>),
}

pub(super) struct Handed<D: Driver> {
    connection: PoolConnection<D>,
    is_kept: bool,
}

impl<D: Driver> Pooled<'_, D> {
    pub(super) fn connection(&mut self) -> &mut D::Connection {
        match self {
            Self::Own { connection, .. } => connection,
            Self::Handed(handed) => &mut handed.connection,
        }
    }

    pub(super) fn keep(self) {
        match self {
            Self::Own { connection, pool, _permit } => {
                pool.idle().push(Idle { connection, since: Instant::now() });
                pool.returned.notify_one();
            }
            Self::Handed(mut handed) => handed.is_kept = true,
        }
    }
}

impl<D: Driver> Drop for Handed<D> {
    fn drop(&mut self) {
        if !self.is_kept {
            // The application's pool must not hand out a connection in the middle of a statement.
            self.connection.close_on_drop();
        }
    }
}
