//! A lease that the store has granted, and passing it on inside this process.
//!
//! While others of this process wait for a session, the lease stays with the process over a save, and the next of them
//! goes on with the record that was saved: a borrow then costs one call to the store in place of two. The save is fenced
//! as any other, so what another process does to the session meanwhile ends this: the next save is refused.
//!
//! Other processes get their share: a run of borrows is bounded, and where one of them waits this process stands back after
//! the run, for it would be back before the other has heard that the lease is free. Reserving the lease for the other was
//! rejected: a store would have to know who waits, and one that waits and dies would be in everybody's way.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::StoreClient;
use super::batch::{Batch, Confirmed};
use crate::backend::{Holder, Lease, Record, RecordKey, Touch};
use crate::clock::Timestamp;

/// A lease that is given up when it is dropped, whatever the reason.
pub(super) struct TakenLease {
    pub(super) client: Arc<StoreClient>,
    pub(super) key: RecordKey,
    pub(super) holder: Holder,
    pub(super) ttl: Duration,
    pub(super) run: Run,
    /// Whether there is something to give up.
    pub(super) is_open: bool,
}

impl TakenLease {
    /// One to be asked for. It is open from here on: the store may grant it to a future that is dropped.
    pub(super) fn ask(client: &Arc<StoreClient>, key: RecordKey, ttl: Duration) -> Self {
        Self { client: Arc::clone(client), key, holder: Holder::new(), ttl, run: Run::default(), is_open: true }
    }

    /// The same lease, to be given up by another one than this.
    pub(super) fn take(&mut self) -> Self {
        let is_open = std::mem::take(&mut self.is_open);
        Self {
            client: Arc::clone(&self.client),
            key: self.key,
            holder: self.holder,
            ttl: self.ttl,
            run: self.run,
            is_open,
        }
    }

    pub(super) fn at(&self, now: Timestamp) -> Lease {
        Lease { holder: self.holder, ttl: self.ttl, now }
    }
}

impl Drop for TakenLease {
    /// At once where that needs no waiting, else in a task of its own. The next in the queue need not wait
    /// for it: what he asks of the store comes behind. If even that fails the lease runs out by itself.
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let (client, key, lease) = (Arc::clone(&self.client), self.key, self.at(self.client.now()));
        let mut release = Box::pin(async move {
            if let Some(leases) = client.store.leases() {
                // A failure is logged where the deadline is kept.
                let _ = client.within(leases.release(&key, lease)).await;
            }
        });
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut idle = std::task::Context::from_waker(std::task::Waker::noop());
        if release.as_mut().poll(&mut idle).is_pending() {
            runtime.spawn(release);
        }
    }
}

/// For how long one process has kept a lease from borrow to borrow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    /// Its first save that kept the lease.
    begun: Option<Instant>,
    saves: u32,
    /// Whether another process is known to wait.
    is_contended: bool,
    /// The last call that the store has confirmed, if it was one that had to be waited for.
    confirmed: Option<Confirmed>,
}

impl Run {
    /// What a process may do while another one waits: so few borrows, in so short a time.
    const CONTENDED: (u32, Duration) = (16, Duration::from_millis(50));
    /// While none is known to wait. One may be there that the store could not note.
    const ALONE: (u32, Duration) = (256, Duration::from_secs(1));
    /// The shortest pause after a run, and the longest.
    const PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(20));

    /// Whether the next save may keep the lease.
    pub(super) fn goes_on(&self, now: Instant) -> bool {
        let (saves, time) = if self.is_contended { Self::CONTENDED } else { Self::ALONE };
        self.saves + 1 < saves && self.begun.is_none_or(|begun| now - begun < time)
    }

    /// For how long this process leaves the session to others, now that its run has ended: about as long as it kept it, so
    /// that a slow machine leaves them more time to hear of it.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let begun = self.begun.filter(|_| self.is_contended && !self.goes_on(now))?;
        Some((now - begun).clamp(Self::PAUSE.0, Self::PAUSE.1))
    }

    /// A save has kept the lease.
    pub(super) fn saved(&mut self, now: Instant, is_contended: bool) {
        self.begun.get_or_insert(now);
        self.saves += 1;
        self.is_contended |= is_contended;
    }

    /// A call to the store has been confirmed.
    pub(super) fn confirm(&mut self, confirmed: Confirmed, is_contended: bool) {
        self.confirmed = Some(confirmed);
        self.is_contended |= is_contended;
    }

    pub(super) fn confirmed(&self) -> Option<Confirmed> {
        self.confirmed
    }
}

/// A lease that was kept over a save, with the record that was saved: for the next of this process.
pub(super) struct PassedLease {
    pub(super) lease: TakenLease,
    pub(super) record: Record,
    /// When the store was asked what it has confirmed last: to save it, or a record before it.
    pub(super) asked: Instant,
    /// The batch that the record is in, unless it is stored.
    pub(super) batch: Option<Arc<Batch>>,
}

impl PassedLease {
    /// Whether it is as good as what the store would answer somebody who has waited since then. Who came only after the
    /// save was sent could know of a later change, such as a logout, that came behind it. And what nobody has extended for
    /// a while is asked for again.
    pub(super) fn is_for(&self, since: Instant, touch: Touch) -> bool {
        since <= self.asked
            && self.asked.elapsed() < self.lease.ttl / 3
            && touch.is_live(&self.record, Duration::ZERO)
            && !self.batch.as_ref().is_some_and(|batch| batch.has_failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_sooner_while_another_process_waits() {
        let now = Instant::now();
        let after = |millis| now + Duration::from_millis(millis);
        let saves = |is_contended| {
            let mut run = Run::default();
            while run.goes_on(now) {
                run.saved(now, is_contended);
            }
            run.saves
        };
        assert_eq!((saves(true), saves(false)), (15, 255), "and one more that gives the lease up");
        let mut run = Run::default();
        run.saved(now, false);
        assert!(run.goes_on(after(60)));
        run.saved(after(60), true);
        assert!(!run.goes_on(after(60)), "another process waits, and has waited long");
        assert_eq!(run.pause(after(60)), Some(Duration::from_millis(20)), "and is left some time");
        let mut run = Run::default();
        run.saved(now, false);
        assert!(!run.goes_on(after(2_000)));
        assert_eq!(run.pause(after(2_000)), None, "no other process waits");
    }
}
