//! What holds of saves that keep the lease.

use super::interrupted::{ROUNDS, drop_after, told, whole};
use super::pair::key;
use super::{LEASE, Pair, SHORT_LEASE};
use crate::backend::{Holder, Kept, Written};

/// It is a save, and the lease stays with its holder, until another save gives it up.
pub async fn a_save_that_keeps_the_lease_stores_and_leaves_it_with_its_holder(pair: Pair) {
    let (key, _) = pair.created().await;
    let (holder, other) = (Holder::new(), Holder::new());
    pair.granted(&pair.one, &key, holder, LEASE).await;
    let lease = pair.lease(holder, LEASE);
    for version in 2..5 {
        let saved = pair.record(version, "kept");
        let kept = pair.one.save_and_keep(&key, lease, version - 1, saved.clone(), pair.touch()).await;
        assert_eq!(kept, Kept::Alone, "nobody waits");
        for side in [&pair.one, &pair.other] {
            assert_eq!(side.peek(&key).await.as_ref(), Some(&saved), "it is stored as it was written");
        }
    }
    assert!(pair.busy(&pair.other, &key, pair.lease(other, LEASE)).await.is_some(), "the lease was kept");
    assert!(pair.one.extend(&key, lease).await, "it is still the holder's");
    assert_eq!(pair.one.save(&key, lease, 4, pair.record(5, "last"), pair.touch()).await, Written::Done);
    assert_eq!(pair.granted(&pair.other, &key, other, LEASE).await.version, 5, "who comes next has what was saved");
}

/// Whoever is told that the lease is taken is told of to its holder, and woken when it is given up.
pub async fn a_save_that_keeps_the_lease_tells_that_somebody_waits(pair: Pair) {
    let (key, _) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    let freed = pair.busy(&pair.other, &key, pair.lease(Holder::new(), LEASE)).await.expect("the lease is held");
    let lease = pair.lease(holder, LEASE);
    for version in 2..4 {
        let kept = pair.one.save_and_keep(&key, lease, version - 1, pair.record(version, "kept"), pair.touch()).await;
        assert_eq!(kept, Kept::Contended, "somebody waits");
    }
    assert_eq!(pair.one.save(&key, lease, 3, pair.record(4, "last"), pair.touch()).await, Written::Done);
    pair.within("the waiter is woken", freed).await;
    let found = pair.waited(&pair.other, &key, Holder::new(), LEASE).await.expect("the record is there");
    assert_eq!(found.version, 4);
}

/// A rotation changes the record under a lease that was kept: the holder's save of the older version is refused.
pub async fn a_save_that_keeps_the_lease_is_refused_for_another_version_and_gives_it_up(pair: Pair) {
    let (key, _) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    let lease = pair.lease(holder, LEASE);
    let kept = pair.one.save_and_keep(&key, lease, 1, pair.record(2, "kept"), pair.touch()).await;
    assert_eq!(kept, Kept::Alone);
    let rotated = pair.record(3, "rotated");
    assert_eq!(pair.other.update(&key, 2, rotated.clone(), pair.touch()).await, Written::Done);
    let late = pair.one.save_and_keep(&key, lease, 2, pair.record(3, "late"), pair.touch()).await;
    assert_eq!(late, Kept::Not(Written::Conflict));
    assert_eq!(pair.granted(&pair.other, &key, Holder::new(), LEASE).await.body, rotated.body);
}

/// Whoever hasn't the lease saves nothing and gets no lease by it, and takes nothing from the one who has.
pub async fn a_save_that_keeps_the_lease_is_refused_without_one(pair: Pair) {
    let (key, first) = pair.created().await;
    let other = pair.lease(Holder::new(), LEASE);
    let save = async |side: usize, lease, text: &str| {
        pair.side(side).save_and_keep(&key, lease, 1, pair.record(2, text), pair.touch()).await
    };
    assert_eq!(save(0, other, "x").await, Kept::Not(Written::Conflict));
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    for side in [1, 0] {
        assert_eq!(save(side, other, "x").await, Kept::Not(Written::Conflict));
    }
    assert_eq!(pair.stored(&pair.one, &key).await, Some((1, first.body.to_vec())));
    assert_ne!(save(0, pair.lease(holder, LEASE), "y").await, Kept::Not(Written::Conflict), "it took nothing");
}

/// A session that was ended under a lease that was kept stays ended.
pub async fn a_save_that_keeps_the_lease_creates_nothing_after_the_end(pair: Pair) {
    let (key, _) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, LEASE).await;
    let lease = pair.lease(holder, LEASE);
    let kept = pair.one.save_and_keep(&key, lease, 1, pair.record(2, "kept"), pair.touch()).await;
    assert_eq!(kept, Kept::Alone);
    assert!(pair.other.delete(&key).await, "it was there");
    let late = pair.one.save_and_keep(&key, lease, 2, pair.record(3, "late"), pair.touch()).await;
    assert_eq!(late, Kept::Not(Written::Absent));
    assert_eq!(pair.one.load(&key, pair.touch()).await, None);
}

/// A lease that is kept lasts from the save on.
pub async fn a_save_that_keeps_the_lease_extends_it(pair: Pair) {
    let holder = Holder::new();
    let key = loop {
        let (key, _) = pair.created().await;
        let begun = pair.now();
        pair.granted(&pair.one, &key, holder, SHORT_LEASE).await;
        let lease = pair.lease(holder, LEASE);
        let kept = pair.one.save_and_keep(&key, lease, 1, pair.record(2, "kept"), pair.touch()).await;
        if kept == Kept::Alone {
            break key;
        }
        assert!(pair.may_have_passed(SHORT_LEASE, begun), "it is still the holder's");
    };
    pair.pass(SHORT_LEASE * 2).await;
    assert!(pair.busy(&pair.other, &key, pair.lease(Holder::new(), LEASE)).await.is_some(), "it was extended");
}

/// Leases are fenced: one that has run out is not kept by saving.
pub async fn a_lease_that_ran_out_is_not_kept(pair: Pair) {
    let (key, first) = pair.created().await;
    let holder = Holder::new();
    pair.granted(&pair.one, &key, holder, SHORT_LEASE).await;
    pair.pass(SHORT_LEASE * 2).await;
    let lease = pair.lease(holder, LEASE);
    let late = pair.one.save_and_keep(&key, lease, 1, pair.record(2, "late"), pair.touch()).await;
    assert_eq!(late, Kept::Not(Written::Conflict));
    assert_eq!(pair.stored(&pair.one, &key).await, Some((1, first.body.to_vec())));
}

/// One that was dropped left one whole record or the other, and the lease is given up as any other is.
pub async fn a_save_that_keeps_the_lease_and_is_dropped_has_happened_or_not(pair: Pair) {
    let key = key();
    assert!(pair.one.create(&key, told(&pair, 1), pair.touch()).await);
    let mut version = 1;
    for round in 0..ROUNDS {
        let holder = Holder::new();
        let found = pair.waited(&pair.one, &key, holder, LEASE).await.expect("it is there");
        assert_eq!(found.version, version);
        let (lease, next) = (pair.lease(holder, LEASE), told(&pair, version + 1));
        let kept = drop_after(round, pair.one.save_and_keep(&key, lease, version, next, pair.touch())).await;
        assert!(matches!(kept, None | Some(Kept::Alone)), "{kept:?}: nobody else wrote or waits");
        pair.one.release(&key, lease).await;
        let next = pair.lease(Holder::new(), LEASE);
        let free = async || pair.busy(&pair.other, &key, next).await.is_none();
        pair.until("the lease is free", free).await;
        pair.other.release(&key, next).await;
        let found = whole(&pair, round, &key).await.expect("a save that is dropped loses no record");
        assert!(found == version + 1 || found == version && kept.is_none(), "version {found} after {kept:?}");
        version = found;
    }
}
