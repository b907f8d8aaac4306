//! What holds when a call is given up half-way: the runtime drops it when its deadline has passed or the client
//! has gone, and a process may end at any instant.
//!
//! What was dropped may still happen, in the background or on a server; it happens as a whole or not at all.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join;

use super::pair::key;
use super::{Pair, SHORT_LEASE};
use crate::backend::{Holder, Record, RecordKey, Touch, Written};

/// How often each operation is dropped, each time a little later.
pub(super) const ROUNDS: usize = 48;

/// After how many steps of one call another comes.
pub(super) const STEPS: Range<usize> = 0..12;

/// Runs a call for a number of steps, as far as it gets.
async fn step<T>(steps: usize, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    for _ in 0..steps {
        if let Poll::Ready(answer) = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
            return Some(answer);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Runs a call for a while, in steps at first and then for some microseconds, and drops it.
pub(super) async fn drop_after<T>(round: usize, call: impl Future<Output = T>) -> Option<T> {
    let call = pin!(call);
    if round < ROUNDS / 2 {
        return step(round, call).await;
    }
    let patience = Duration::from_micros(20 * (round - ROUNDS / 2) as u64);
    tokio::time::timeout(patience, call).await.ok()
}

/// Lets one call come in the midst of another, which has made so many steps by then.
pub(super) async fn overlap<A, B>(
    steps: usize,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let early = step(steps, first.as_mut()).await;
    // It may have to wait until the first one gives up a lock.
    let soon = tokio::time::timeout(Duration::from_millis(5), second.as_mut()).await.ok();
    match (early, soon) {
        (Some(a), Some(b)) => (a, b),
        (Some(a), None) => (a, second.await),
        (None, Some(b)) => (first.await, b),
        (None, None) => join(first, second).await,
    }
}

/// Its body tells its version, so that half a record shows.
pub(super) fn told(pair: &Pair, version: u64) -> Record {
    pair.record(version, &format!("version {version} ").repeat(100))
}

/// The record that is stored, which is whole.
pub(super) async fn whole(pair: &Pair, round: usize, key: &RecordKey) -> Option<u64> {
    let record = pair.side(round).load(key, pair.touch()).await?;
    assert!(record.body == told(pair, record.version).body, "half a record");
    Some(record.version)
}

/// A creation that was dropped left the record or nothing, and what follows goes on from there.
pub async fn a_creation_that_is_dropped_has_happened_or_not(pair: Pair) {
    for round in 0..ROUNDS {
        let key = key();
        let answer = drop_after(round, pair.one.create(&key, told(&pair, 1), pair.touch())).await;
        assert_ne!(answer, Some(false), "there was nothing");
        let found = whole(&pair, round, &key).await;
        assert!(matches!(found, Some(1)) || found.is_none() && answer.is_none(), "{found:?} after {answer:?}");
        // Whoever comes next creates it or finds it.
        pair.side(round + 1).create(&key, told(&pair, 1), pair.touch()).await;
        assert_eq!(whole(&pair, round, &key).await, Some(1));
    }
}

/// A write that was dropped left the old record or the new one, and what follows goes on from there.
pub async fn a_write_that_is_dropped_has_happened_or_not(pair: Pair) {
    let key = key();
    assert!(pair.one.create(&key, told(&pair, 1), pair.touch()).await);
    let mut version = 1;
    for round in 0..ROUNDS {
        let answer = drop_after(round, pair.one.update(&key, version, told(&pair, version + 1), pair.touch())).await;
        assert!(matches!(answer, None | Some(Written::Done)), "{answer:?}: nobody else wrote");
        let found = whole(&pair, round, &key).await.expect("a write that is dropped loses no record");
        assert!(found == version + 1 || found == version && answer.is_none(), "version {found} after {answer:?}");
        // The dropped write may come true at any moment until another one is through.
        version = found;
        let next = async || {
            version = whole(&pair, round, &key).await.expect("it is there");
            let record = told(&pair, version + 1);
            pair.side(round + 1).update(&key, version, record, pair.touch()).await == Written::Done
        };
        pair.until("the next write is through", next).await;
        version += 1;
    }
}

/// A removal that was dropped left the record or nothing, and can be asked for again.
pub async fn a_removal_that_is_dropped_has_happened_or_not(pair: Pair) {
    for round in 0..ROUNDS {
        let key = key();
        assert!(pair.one.create(&key, told(&pair, 1), pair.touch()).await);
        let answer = drop_after(round, pair.one.delete(&key)).await;
        let found = whole(&pair, round, &key).await;
        assert!(found.is_none() || found == Some(1) && answer.is_none(), "{found:?} after {answer:?}");
        pair.side(round + 1).delete(&key).await;
        assert_eq!(pair.side(round).load(&key, pair.touch()).await, None);
        let answer = pair.one.update(&key, 1, told(&pair, 2), pair.touch()).await;
        assert_eq!(answer, Written::Absent, "what has ended stays ended");
    }
}

/// A process that ends, its lease not given up, leaves the records to the others, and the lease runs out.
pub async fn a_handle_that_goes_away_takes_no_record_with_it(pair: Pair) {
    let (key, first) = pair.created().await;
    let holder = Holder::new();
    if pair.one.store.leases().is_some() {
        pair.granted(&pair.one, &key, holder, SHORT_LEASE).await;
    }
    let pair = pair.without_one();
    pair.pass(SHORT_LEASE * 2).await;
    assert_eq!(pair.stored(&pair.other, &key).await, Some((1, first.body.to_vec())));
    if pair.other.store.leases().is_some() {
        let next = Holder::new();
        assert!(pair.waited(&pair.other, &key, next, SHORT_LEASE).await.is_some(), "the record is there");
        pair.other.release(&key, pair.lease(next, SHORT_LEASE)).await;
    }
    let touch = Touch { expires: first.expires, ..pair.touch() };
    assert_eq!(pair.other.update(&key, 1, pair.record(2, "next"), touch).await, Written::Done);
}
