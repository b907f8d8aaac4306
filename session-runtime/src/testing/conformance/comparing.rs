//! What holds of changes without a lease.

use std::time::Duration;

use tokio::task::JoinSet;

use super::interrupted::{ROUNDS, STEPS, drop_after, overlap, told, whole};
use super::pair::{StoreHandle, key};
use super::{LEASE, MANY, Pair, SHORT_LEASE};
use crate::backend::{Holder, Record, RecordKey, Touch, Written};

/// Without a lease in the way it is an update: the version that it names is replaced, and nothing else.
pub async fn a_comparison_replaces_the_version_that_it_names_and_no_other(pair: Pair) {
    let (key, first) = pair.created().await;
    for (expected, side) in [(0, &pair.one), (2, &pair.other), (u64::MAX, &pair.one)] {
        let answer = side.compare_and_set(&key, expected, pair.record(3, "wrong"), pair.touch()).await;
        assert_eq!(answer, Written::Conflict, "version {expected} is not what is stored");
        assert_eq!(pair.stored(side, &key).await, Some((1, first.body.to_vec())));
    }
    let second = pair.record(2, "second");
    assert_eq!(pair.one.compare_and_set(&key, 1, second.clone(), pair.touch()).await, Written::Done);
    assert_eq!(pair.one.peek(&key).await.as_ref(), Some(&second), "it is stored as it was written");
    let third = pair.record(3, "third");
    assert_eq!(pair.other.compare_and_set(&key, 2, third.clone(), pair.touch()).await, Written::Done);
    assert_eq!(pair.stored(&pair.one, &key).await, Some((3, third.body.to_vec())));
}

/// What is not there, has ended or has expired is not created.
pub async fn a_comparison_with_what_is_not_there_creates_nothing(pair: Pair) {
    let absent = async |key: &RecordKey, touch: Touch| {
        for side in [&pair.one, &pair.other] {
            let answer = side.compare_and_set(key, 1, pair.record(2, "late"), touch).await;
            assert_eq!(answer, Written::Absent, "nothing is there");
            assert_eq!(side.peek(key).await, None);
        }
    };
    absent(&key(), pair.touch()).await;
    let (ended, _) = pair.created().await;
    pair.granted(&pair.one, &ended, Holder::new(), LEASE).await;
    assert!(pair.other.delete(&ended).await, "it was there");
    absent(&ended, pair.touch()).await;
}

/// Who holds a session exclusively is left alone, on every handle: the save that follows is not refused.
pub async fn a_comparison_leaves_a_session_alone_that_somebody_holds(pair: Pair) {
    let (key, first) = pair.created().await;
    let compare = async |side: &StoreHandle, expected: u64| {
        side.compare_and_set(&key, expected, pair.record(expected + 1, "compared"), pair.touch()).await
    };
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    for side in [&pair.one, &pair.other] {
        assert_eq!(compare(side, 1).await, Written::Conflict, "somebody holds it");
        assert_eq!(pair.stored(side, &key).await, Some((1, first.body.to_vec())));
    }
    let saved = pair.one.save(&key, pair.lease(holder, LEASE), 1, pair.record(2, "saved"), pair.touch()).await;
    assert_eq!(saved, Written::Done, "the holder was left alone");
    assert_eq!(compare(&pair.other, 2).await, Written::Done, "the lease was given up with the save");
    pair.granted(&pair.other, &key, holder, LEASE).await;
    pair.other.release(&key, pair.lease(holder, LEASE)).await;
    assert_eq!(compare(&pair.one, 3).await, Written::Done, "the lease was given up");
}

/// A lease that has run out keeps nobody away, and its holder overwrites nothing.
pub async fn a_lease_that_ran_out_is_in_no_comparisons_way(pair: Pair) {
    let (key, _) = pair.created().await;
    let late = Holder::new();
    pair.granted(&pair.one, &key, late, SHORT_LEASE).await;
    pair.pass(SHORT_LEASE * 2).await;
    let compared = pair.record(2, "compared");
    assert_eq!(pair.other.compare_and_set(&key, 1, compared.clone(), pair.touch()).await, Written::Done);
    let saved = pair.one.save(&key, pair.lease(late, LEASE), 1, pair.record(2, "late"), pair.touch()).await;
    assert_eq!(saved, Written::Conflict);
    assert_eq!(pair.stored(&pair.one, &key).await, Some((2, compared.body.to_vec())));
}

/// Of two who name one version one succeeds, whatever the other is in the midst of.
pub async fn of_many_comparisons_with_one_version_one_succeeds(pair: Pair) {
    for steps in STEPS {
        let (key, _) = pair.created().await;
        let compare =
            |side: usize| pair.side(side).compare_and_set(&key, 1, pair.record(2, &side.to_string()), pair.touch());
        let answers = overlap(steps, compare(0), compare(1)).await;
        let (winner, answer) = if answers.0 == Written::Done { ("0", answers.1) } else { ("1", answers.0) };
        assert_eq!(answer, Written::Conflict, "{answers:?}");
        assert!(answers.0 == Written::Done || answers.1 == Written::Done, "{answers:?}");
        let stored = pair.stored(&pair.one, &key).await;
        assert_eq!(stored, Some((2, pair.record(2, winner).body.to_vec())), "what is stored is the winner's");
        pair.one.delete(&key).await;
    }
}

/// Borrows and comparisons at once, over both handles: every change is there, and no borrow is refused its save.
pub async fn comparisons_and_borrows_at_once_lose_no_change(pair: Pair) {
    for steps in STEPS {
        let (key, _) = pair.created().await;
        let holder = Holder::new();
        let compare = pair.one.compare_and_set(&key, 1, pair.record(2, "compared"), pair.touch());
        let borrow = pair.waited(&pair.other, &key, holder, LEASE);
        let (_, lent) = overlap(steps, compare, borrow).await;
        let version = lent.expect("it is there").version;
        let saved = pair.record(version + 1, "saved");
        let saved = pair.other.save(&key, pair.lease(holder, LEASE), version, saved, pair.touch()).await;
        assert_eq!(saved, Written::Done, "a borrow was refused its save");
        pair.one.delete(&key).await;
    }
    let (key, _) = pair.created().await;
    let mut tasks = JoinSet::new();
    for number in 0..MANY {
        let pair = pair.clone();
        tasks.spawn(async move {
            let side = pair.side(number / 2);
            let after = |before: Record| {
                let body = [&before.body[..], b"."].concat().into();
                Record { version: before.version + 1, body, ..before }
            };
            if number % 2 == 0 {
                let holder = Holder::new();
                let before = pair.waited(side, &key, holder, LEASE).await.expect("it is there all the time");
                let version = before.version;
                tokio::task::yield_now().await;
                let saved = side.save(&key, pair.lease(holder, LEASE), version, after(before), pair.touch()).await;
                assert_eq!(saved, Written::Done, "a borrow was refused its save");
                return;
            }
            let compared = async {
                loop {
                    let before = side.load(&key, pair.touch()).await.expect("it is there all the time");
                    let version = before.version;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    if side.compare_and_set(&key, version, after(before), pair.touch()).await == Written::Done {
                        break;
                    }
                }
            };
            pair.within("the session is free for a moment", compared).await;
        });
    }
    tasks.join_all().await;
    let (version, body) = pair.stored(&pair.one, &key).await.expect("it is there");
    assert_eq!((version, body.iter().filter(|byte| **byte == b'.').count()), (1 + MANY as u64, MANY));
}

/// A comparison that was dropped left one whole record or the other, and what follows goes on from there.
pub async fn a_comparison_that_is_dropped_has_happened_or_not(pair: Pair) {
    let key = key();
    assert!(pair.one.create(&key, told(&pair, 1), pair.touch()).await);
    let mut version = 1;
    for round in 0..ROUNDS {
        let next = told(&pair, version + 1);
        let answer = drop_after(round, pair.one.compare_and_set(&key, version, next, pair.touch())).await;
        assert!(matches!(answer, None | Some(Written::Done)), "{answer:?}: nobody else wrote");
        let found = whole(&pair, round, &key).await.expect("a comparison that is dropped loses no record");
        assert!(found == version + 1 || found == version && answer.is_none(), "version {found} after {answer:?}");
        version = found;
        let next = async || {
            version = whole(&pair, round, &key).await.expect("it is there");
            let record = told(&pair, version + 1);
            pair.side(round + 1).compare_and_set(&key, version, record, pair.touch()).await == Written::Done
        };
        pair.until("the next write is through", next).await;
        version += 1;
    }
    // Nothing that was dropped holds anything.
    assert!(pair.waited(&pair.other, &key, Holder::new(), Duration::from_secs(1)).await.is_some(), "it is there");
}
