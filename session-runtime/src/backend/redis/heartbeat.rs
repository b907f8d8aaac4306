//! What shows whether a connection is alive.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::connection::{Live, Shared};

/// How often the heartbeat looks whether requests are answered, while there are any.
const TICK: Duration = Duration::from_millis(200);
/// After how much silence a subscription that somebody listens to is asked for a sign of life.
const SILENCE: Duration = Duration::from_secs(1);

/// What the heartbeat watches.
#[derive(Default)]
pub(super) struct Pulse {
    /// How many answers have come.
    answers: AtomicU64,
    /// How many requests wait for theirs.
    waiting: AtomicUsize,
    /// Whether a request was given up before its answer came.
    abandoned: AtomicBool,
    /// Rings when there is something to watch, or nothing any more.
    pub(super) bell: Notify,
}

/// A request that waits for its answer.
pub(super) struct Waiting<'a>(Option<&'a Pulse>);

impl<'a> Waiting<'a> {
    pub(super) fn new(pulse: &'a Pulse) -> Self {
        pulse.waiting.fetch_add(1, Ordering::Relaxed);
        pulse.bell.notify_one();
        Self(Some(pulse))
    }

    pub(super) fn answered(mut self) {
        if let Some(pulse) = self.0.take() {
            pulse.answers.fetch_add(1, Ordering::Relaxed);
            pulse.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(pulse) = self.0.take() {
            pulse.abandoned.store(true, Ordering::Relaxed);
            pulse.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Watches over a connection for as long as it is in use. It sleeps while nothing is asked and nobody listens.
pub(super) async fn heartbeat(shared: Weak<Shared>, live: Weak<Live>, pulse: Arc<Pulse>) {
    let (mut answers, mut proved) = (pulse.answers.load(Ordering::Relaxed), Instant::now());
    loop {
        match shared.upgrade() {
            None => return,
            Some(shared) if shared.has_listeners() => {}
            Some(_) if pulse.waiting.load(Ordering::Relaxed) > 0 => {}
            Some(shared) => {
                drop(shared);
                pulse.bell.notified().await;
            }
        }
        pause(TICK).await;
        let (Some(shared), Some(live)) = (shared.upgrade(), live.upgrade()) else { return };
        if !shared.is_current(&live) {
            return;
        }
        let abandoned = pulse.abandoned.swap(false, Ordering::Relaxed);
        let now = pulse.answers.load(Ordering::Relaxed);
        if now != answers {
            (answers, proved) = (now, Instant::now());
            continue;
        }
        let unanswered = abandoned || pulse.waiting.load(Ordering::Relaxed) > 0;
        if unanswered || shared.has_listeners() && proved.elapsed() >= SILENCE {
            match live.is_alive(shared.probe_limit(), shared.connector()).await {
                Ok(()) => proved = Instant::now(),
                Err(error) => return shared.give_up_silent(&live, &error),
            }
        }
    }
}

/// Waits for so long by the machine's clock. A runtime whose clock stands still for a test lets timers fire at once,
/// and no connection is dead because of that.
pub(super) async fn pause(duration: Duration) {
    let end = Instant::now() + duration;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        tokio::time::sleep(left).await;
    }
}

/// The output of a future, unless it takes longer than this by the machine's clock.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = pause(limit) => None,
    }
}
