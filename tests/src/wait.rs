//! Waits that end: every one has a limit and says what it waited for.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// How long a server or a browser may take to start on a busy machine.
pub const START: Duration = Duration::from_secs(60);

/// How long one request may take, unless a test says otherwise.
pub const ANSWER: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(20);

/// Awaits `future`, for `limit` at most.
///
/// # Panics
///
/// When the limit has passed: "gave up after 2s: the waiter is woken".
pub async fn within<F: Future>(limit: Duration, what: &str, future: F) -> F::Output {
    match timeout(limit, future).await {
        Ok(output) => output,
        Err(_) => panic!("gave up after {limit:?}: {what}"),
    }
}

/// Asks again and again until `condition` holds, for `limit` at most.
///
/// # Panics
///
/// When the limit has passed: "gave up after 2s: the record is gone".
pub async fn until(limit: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + limit;
    while !within(limit, what, condition()).await {
        assert!(Instant::now() < end, "gave up after {limit:?}: {what}");
        sleep(PAUSE).await;
    }
}

/// Asks again and again until what is counted has reached `goal`. However slow the machine is, this goes on for as long
/// as the count does: it gives up when the count has stood still for `limit`.
///
/// # Panics
///
/// When the count has stood still: "gave up after 30s at 17 of 20: the writer writes".
pub async fn progress(limit: Duration, what: &str, goal: u64, mut count: impl AsyncFnMut() -> u64) {
    let (mut last, mut since) = (None, Instant::now());
    loop {
        let now = within(limit, what, count()).await;
        if now >= goal {
            return;
        }
        if last != Some(now) {
            (last, since) = (Some(now), Instant::now());
        }
        assert!(since.elapsed() < limit, "gave up after {limit:?} at {now} of {goal}: {what}");
        sleep(PAUSE).await;
    }
}
