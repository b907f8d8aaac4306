//! Statements that take leases and whose callers leave.
//!
//! The database may carry such a statement out all the same, after the lease was given up that it had not taken yet:
//! nobody would have the session then until the lease expires. So the statement goes on without its callers, and what it
//! has taken is given up. One that the database has not been sent is not begun.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::driver::Driver;
use super::failure::Failed;
use super::store::{Outcome, Purpose, SqlStore};
use crate::backend::Lease;
use crate::id::RecordKey;

/// How long the giving up of a lease may take that nobody waits for.
const RELEASE: Duration = Duration::from_secs(1);

/// A statement that takes one lease.
pub(super) struct Taking<D: Driver> {
    store: Arc<SqlStore<D>>,
    key: RecordKey,
    lease: Lease,
    is_sent: Arc<AtomicBool>,
    /// `None` once it has ended.
    statement: Option<BoxFuture<'static, Result<Outcome<D>, Failed>>>,
}

impl<D: Driver> Taking<D> {
    pub(super) fn begin(store: &Arc<SqlStore<D>>, key: RecordKey, lease: Lease) -> Self {
        let is_sent = Arc::<AtomicBool>::default();
        let (running, noted) = (Arc::clone(store), Arc::clone(&is_sent));
        let statement = Box::pin(async move {
            let holder = lease.holder.to_bytes();
            let values = [(&holder).into(), lease.ttl.into(), key.as_bytes().into(), (&holder).into()];
            running.run_noted(Purpose::Write, &running.statements.take, &values, &noted).await
        });
        Self { store: Arc::clone(store), key, lease, is_sent, statement: Some(statement) }
    }
}

impl<D: Driver> Future for Taking<D> {
    type Output = Result<Outcome<D>, Failed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Nobody polls it again once it has ended.
        let Some(statement) = &mut self.statement else { return Poll::Pending };
        let ended = statement.as_mut().poll(cx);
        if ended.is_ready() {
            self.statement = None;
        }
        ended
    }
}

impl<D: Driver> Drop for Taking<D> {
    fn drop(&mut self) {
        let Some(statement) = self.statement.take() else { return };
        if !self.is_sent.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let (store, key, lease) = (Arc::clone(&self.store), self.key, self.lease);
        runtime.spawn(async move {
            let ended = store.end_alone(lease.ttl, statement).await;
            if !matches!(ended, Some(Ok(Outcome { result, .. })) if result.affected == 0 && result.rows.is_empty()) {
                store.release_taken(&key, lease.holder.to_bytes()).await;
            }
        });
    }
}

impl<D: Driver> SqlStore<D> {
    /// Waits for the end of a statement whose callers have left, for as long as a lease runs: one that is carried out later
    /// takes a lease that has run out by then. Other calls have its place among the connections meanwhile.
    pub(super) async fn end_alone<T>(&self, ttl: Duration, statement: impl Future<Output = T>) -> Option<T> {
        self.writes.lend();
        let ended = timeout(ttl, statement).await.ok();
        self.writes.settle().await;
        ended
    }

    /// Gives up the lease that was taken for somebody who has left. If that fails it runs out by itself.
    pub(super) async fn release_taken(&self, key: &RecordKey, holder: [u8; 16]) {
        let values = [key.as_bytes().into(), (&holder).into()];
        if let Ok(Ok(true)) = timeout(RELEASE, self.changed(&self.statements.release, &values)).await {
            self.waiting.wake(key);
        }
    }
}
