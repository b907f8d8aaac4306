//! What holds of exclusive leases.

use tokio::task::{JoinHandle, JoinSet};

use super::interrupted::{ROUNDS, STEPS, drop_after, overlap};
use super::pair::key;
use super::{LEASE, MANY, Pair, SHORT_LEASE, sequences};
use crate::backend::{Acquired, Holder, Record, RecordKey, Written};

/// A lease is one holder's on every handle, until it is given up; the holder may ask for it again.
pub async fn a_lease_is_one_holders_until_it_is_given_up(pair: Pair) {
    let (key, first) = pair.created().await;
    let (holder, other) = (Holder::new(), Holder::new());
    assert_eq!(pair.granted(&pair.one, &key, holder, LEASE).await, first, "the record, as it was before this use");
    for side in [&pair.one, &pair.other] {
        assert!(pair.busy(side, &key, pair.lease(other, LEASE)).await.is_some(), "two hold one lease");
    }
    pair.granted(&pair.one, &key, holder, LEASE).await;
    pair.one.release(&key, pair.lease(holder, LEASE)).await;
    pair.granted(&pair.other, &key, other, LEASE).await;
    assert!(pair.busy(&pair.one, &key, pair.lease(holder, LEASE)).await.is_some(), "two hold one lease");

    let (another, _) = pair.created().await;
    pair.granted(&pair.one, &another, holder, LEASE).await;
}

/// A reader never waits for a writer, and a session that is in use can be ended.
pub async fn a_lease_keeps_no_reader_waiting_and_no_delete(pair: Pair) {
    let (key, first) = pair.created().await;
    pair.granted(&pair.one, &key, Holder::new(), LEASE).await;
    assert_eq!(pair.stored(&pair.other, &key).await, Some((1, first.body.to_vec())));
    assert!(pair.other.delete(&key).await, "it was there");
    assert_eq!(pair.one.load(&key, pair.touch()).await, None);
}

/// Asking for a session that isn't there leaves nothing behind that would be in the way of one that is.
pub async fn a_lease_on_what_is_not_there_is_absent_and_holds_nothing(pair: Pair) {
    let key = key();
    for side in [&pair.one, &pair.other] {
        let answer = side.acquire(&key, pair.lease(Holder::new(), LEASE), pair.touch()).await;
        assert!(matches!(answer, Acquired::Absent), "nothing is there");
    }
    assert_eq!(pair.one.load(&key, pair.touch()).await, None);
    assert!(pair.one.create(&key, pair.record(1, "x"), pair.touch()).await);
    pair.granted(&pair.other, &key, Holder::new(), LEASE).await;
}

/// Has somebody wait on the other handle for a lease that is held, and gives what he is granted.
async fn waiting(pair: &Pair, key: RecordKey) -> JoinHandle<Option<Record>> {
    // He listens from here on, so that nothing which follows can be missed.
    let freed = pair.busy(&pair.other, &key, pair.lease(Holder::new(), LEASE)).await.expect("the lease is held");
    let pair = pair.clone();
    tokio::spawn(async move {
        pair.within("the waiter is woken", freed).await;
        pair.waited(&pair.other, &key, Holder::new(), LEASE).await
    })
}

/// Saving and giving up the lease are one step, and who comes next has what was saved.
pub async fn saving_gives_up_the_lease_and_wakes_who_waits(pair: Pair) {
    let (key, _) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    let waiter = waiting(&pair, key).await;
    let (lease, saved) = (pair.lease(holder, LEASE), pair.record(2, "saved"));
    assert_eq!(pair.one.save(&key, lease, 1, saved.clone(), pair.touch()).await, Written::Done);
    let found = waiter.await.expect("the waiter is granted the lease").expect("the record is there");
    assert_eq!((found.version, found.body), (2, saved.body), "who comes next has what was saved");
    let again = pair.one.save(&key, lease, 2, pair.record(3, "again"), pair.touch()).await;
    assert_eq!(again, Written::Conflict, "the lease is given up");
}

/// Giving up a lease wakes who waits; giving up what one hasn't does nothing.
pub async fn releasing_wakes_who_waits_and_the_release_of_another_does_nothing(pair: Pair) {
    let (key, first) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    for side in [&pair.one, &pair.other] {
        side.release(&key, pair.lease(Holder::new(), LEASE)).await;
    }
    let waiter = waiting(&pair, key).await;
    pair.one.release(&key, pair.lease(holder, LEASE)).await;
    let found = waiter.await.expect("the waiter is granted the lease").expect("the record is there");
    assert_eq!(found.body, first.body);
    pair.one.release(&key, pair.lease(holder, LEASE)).await;
    let freed = pair.busy(&pair.one, &key, pair.lease(Holder::new(), LEASE)).await;
    assert!(freed.is_some(), "a second release gives up nobody's lease");
}

/// Ending a session ends the wait for it, and the lease on it.
pub async fn deleting_wakes_who_waits_and_what_he_finds_is_nothing(pair: Pair) {
    let (key, _) = pair.created().await;
    pair.granted(&pair.one, &key, Holder::new(), LEASE).await;
    let waiter = waiting(&pair, key).await;
    assert!(pair.one.delete(&key).await, "it was there");
    assert_eq!(waiter.await.expect("the waiter is answered"), None);
    assert!(pair.one.create(&key, pair.record(1, "x"), pair.touch()).await);
    pair.granted(&pair.one, &key, Holder::new(), LEASE).await;
}

/// A rotation changes the record under a lease: the holder's save of the older version is refused.
pub async fn a_save_of_another_version_is_refused_and_gives_up_the_lease(pair: Pair) {
    let (key, _) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    let rotated = pair.record(2, "rotated");
    assert_eq!(pair.other.update(&key, 1, rotated.clone(), pair.touch()).await, Written::Done);
    let answer = pair.one.save(&key, pair.lease(holder, LEASE), 1, pair.record(2, "late"), pair.touch()).await;
    assert_eq!(answer, Written::Conflict);
    assert_eq!(pair.granted(&pair.other, &key, Holder::new(), LEASE).await.body, rotated.body);
}

/// Whoever hasn't the lease saves nothing, and takes nothing from the one who has.
pub async fn a_save_without_the_lease_is_refused(pair: Pair) {
    let (key, first) = pair.created().await;
    let other = pair.lease(Holder::new(), LEASE);
    let save = async |side: usize, lease, text: &str| {
        pair.side(side).save(&key, lease, 1, pair.record(2, text), pair.touch()).await
    };
    assert_eq!(save(0, other, "x").await, Written::Conflict);
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    assert_eq!(save(1, other, "x").await, Written::Conflict);
    assert_eq!(save(0, other, "x").await, Written::Conflict);
    assert_eq!(pair.stored(&pair.one, &key).await, Some((1, first.body.to_vec())));
    assert_eq!(save(0, pair.lease(holder, LEASE), "y").await, Written::Done, "the other holder took nothing");
}

/// A session that was ended under a lease stays ended.
pub async fn a_save_after_the_end_creates_nothing(pair: Pair) {
    let (key, _) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    assert!(pair.other.delete(&key).await, "it was there");
    let lease = pair.lease(holder, LEASE);
    assert!(!pair.one.extend(&key, lease).await, "there is nothing to keep");
    assert_eq!(pair.one.save(&key, lease, 1, pair.record(2, "late"), pair.touch()).await, Written::Absent);
    assert_eq!(pair.one.load(&key, pair.touch()).await, None);
}

/// Leases are fenced: a holder that overslept overwrites nothing, and who waits is woken in time.
pub async fn a_lease_that_ran_out_is_anothers_and_the_late_save_and_release_are_refused(pair: Pair) {
    let (key, _) = pair.created().await;
    let (late, next) = (Holder::new(), Holder::new());
    let begun = pair.now();
    pair.granted(&pair.one, &key, late, SHORT_LEASE).await;
    match pair.busy(&pair.other, &key, pair.lease(next, LEASE)).await {
        Some(freed) => {
            pair.pass(SHORT_LEASE * 2).await;
            pair.within("the waiter is woken when the lease has run out", freed).await;
        }
        None => assert!(pair.may_have_passed(SHORT_LEASE, begun), "two hold one lease"),
    }
    assert!(pair.waited(&pair.other, &key, next, LEASE).await.is_some(), "the record is there");

    let (lost, kept) = (pair.lease(late, LEASE), pair.lease(next, LEASE));
    assert!(!pair.one.extend(&key, lost).await, "it is another's");
    pair.one.release(&key, lost).await;
    let answer = pair.one.save(&key, lost, 1, pair.record(2, "late"), pair.touch()).await;
    assert_eq!(answer, Written::Conflict);
    assert!(pair.busy(&pair.one, &key, lost).await.is_some(), "it is another's");
    let next = pair.record(2, "next");
    assert_eq!(pair.other.save(&key, kept, 1, next.clone(), pair.touch()).await, Written::Done);
    assert_eq!(pair.stored(&pair.one, &key).await, Some((2, next.body.to_vec())));
}

/// A lease has run out when its time is over, not when another takes it.
pub async fn a_lease_that_ran_out_is_refused_even_if_nobody_took_it(pair: Pair) {
    let (key, first) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, SHORT_LEASE).await;
    pair.pass(SHORT_LEASE * 2).await;
    let lease = pair.lease(holder, LEASE);
    assert!(!pair.one.extend(&key, lease).await, "it has run out");
    let answer = pair.one.save(&key, lease, 1, pair.record(2, "late"), pair.touch()).await;
    assert_eq!(answer, Written::Conflict);
    assert_eq!(pair.stored(&pair.one, &key).await, Some((1, first.body.to_vec())));
}

/// A holder keeps a lease for longer by asking in time; nobody else does, and nobody when it is given up.
pub async fn an_extended_lease_is_kept_and_a_lost_one_is_not_extended(pair: Pair) {
    let (holder, other) = (Holder::new(), Holder::new());
    let key = loop {
        let (key, _) = pair.created().await;
        let begun = pair.now();
        pair.granted(&pair.one, &key, holder, SHORT_LEASE).await;
        if pair.one.extend(&key, pair.lease(holder, LEASE)).await {
            break key;
        }
        assert!(pair.may_have_passed(SHORT_LEASE, begun), "it is still the holder's");
    };
    assert!(!pair.other.extend(&key, pair.lease(other, LEASE)).await, "only the holder extends it");
    pair.pass(SHORT_LEASE * 2).await;
    assert!(pair.busy(&pair.other, &key, pair.lease(other, LEASE)).await.is_some(), "it was extended");
    let lease = pair.lease(holder, LEASE);
    assert_eq!(pair.one.save(&key, lease, 1, pair.record(2, "x"), pair.touch()).await, Written::Done);
    assert!(!pair.one.extend(&key, lease).await, "it is given up");
}

/// However many want the session at once, over both handles: each has it alone, and every change is there.
pub async fn many_holders_take_turns_and_lose_no_change(pair: Pair) {
    for steps in STEPS {
        let (key, _) = pair.created().await;
        let acquire = |side: usize| pair.side(side).acquire(&key, pair.lease(Holder::new(), LEASE), pair.touch());
        let (one, other) = overlap(steps, acquire(0), acquire(1)).await;
        let granted = [one, other].iter().filter(|answer| matches!(answer, Acquired::Granted(_))).count();
        assert_eq!(granted, 1, "of two who asked for a free lease");
        pair.one.delete(&key).await;
    }
    let (key, _) = pair.created().await;
    let mut tasks = JoinSet::new();
    for number in 0..MANY {
        let pair = pair.clone();
        tasks.spawn(async move {
            let (holder, side) = (Holder::new(), pair.side(number));
            let before = pair.waited(side, &key, holder, LEASE).await.expect("it is there all the time");
            tokio::task::yield_now().await;
            let body = [&before.body[..], b"."].concat().into();
            let after = Record { version: before.version + 1, body, ..before };
            side.save(&key, pair.lease(holder, LEASE), before.version, after, pair.touch()).await
        });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| *answer == Written::Done), "{answers:?}");
    let (version, body) = pair.stored(&pair.one, &key).await.expect("it is there");
    assert_eq!((version, body.iter().filter(|byte| **byte == b'.').count()), (1 + MANY as u64, MANY));
}

/// Who waited and went away is in nobody's way.
pub async fn a_waiter_who_gives_up_leaves_nothing_behind(pair: Pair) {
    let (key, _) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    for _ in 0..3 {
        let freed = pair.busy(&pair.other, &key, pair.lease(Holder::new(), LEASE)).await;
        drop(freed.expect("the lease is held"));
    }
    pair.one.release(&key, pair.lease(holder, LEASE)).await;
    pair.granted(&pair.one, &key, Holder::new(), LEASE).await;
}

/// A borrow that is dropped at whatever point, its lease neither saved nor given up, is over with its lease, and
/// has changed nothing.
pub async fn a_borrow_that_is_dropped_holds_nothing_for_longer_than_its_lease(pair: Pair) {
    // In real time, rounds take theirs.
    let step = if pair.is_real_time() { ROUNDS / 4 } else { 1 };
    for round in (0..ROUNDS).step_by(step) {
        let (key, first) = pair.created().await;
        let dropped = pair.lease(Holder::new(), SHORT_LEASE);
        drop(drop_after(round, pair.one.acquire(&key, dropped, pair.touch())).await);
        pair.pass(SHORT_LEASE * 2).await;
        let found = pair.waited(&pair.other, &key, Holder::new(), LEASE).await.expect("the record is there");
        assert_eq!((found.version, found.body), (first.version, first.body));
        pair.other.delete(&key).await;
    }
}

/// Whoever leaves while he asks for a lease keeps it from nobody for longer than he asked for, whether it was free then or
/// another's who has given it up since.
pub async fn who_leaves_while_he_asks_keeps_the_lease_from_nobody_for_longer_than_it_runs(pair: Pair) {
    let mut asked = Vec::new();
    for (steps, is_held) in STEPS.skip(1).flat_map(|steps| [(steps, false), (steps, true)]) {
        let (key, first) = pair.created().await;
        let holder = Holder::new();
        if is_held {
            pair.granted(&pair.other, &key, holder, LEASE).await;
        }
        let left = pair.lease(Holder::new(), SHORT_LEASE);
        drop(drop_after(steps, pair.one.acquire(&key, left, pair.touch())).await);
        if is_held {
            pair.other.release(&key, pair.lease(holder, LEASE)).await;
        }
        asked.push((key, first));
    }
    pair.pass(SHORT_LEASE * 2).await;
    for (number, (key, first)) in asked.iter().enumerate() {
        let found = pair.waited(pair.side(number), key, Holder::new(), LEASE).await.expect("the record is there");
        assert_eq!((found.version, &found.body), (first.version, &first.body));
    }
}

/// Random borrows by a few holders, with all that may happen meanwhile, answer as a simple model does.
///
/// A failure prints the shortest sequence that was found to fail, and the seed: set `CONFORMANCE_SEED` to it to
/// have the same sequence again.
pub async fn any_sequence_of_borrows_ends_as_the_model_says(pair: Pair) {
    sequences::check(&pair, true).await;
}
