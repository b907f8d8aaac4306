//! What holds of watching.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::pair::{StoreHandle, key};
use super::{MANY, Pair};
use crate::backend::RecordKey;

type Told = BoxFuture<'static, ()>;

/// Waits as who watches does: told, he looks, and where the record is still there he watches again.
async fn gone(pair: &Pair, side: &StoreHandle, key: &RecordKey, mut told: Told) {
    let wait = async {
        loop {
            told.await;
            told = side.watch(key).await;
            if side.peek(key).await.is_none() {
                break;
            }
        }
    };
    pair.within("who watches is told that the record was deleted", wait).await;
}

/// An end is told on the handle that it came through and on every other.
pub async fn a_watch_tells_when_the_record_is_deleted_through_either_handle(pair: Pair) {
    for round in 0..4 {
        let (key, _) = pair.created().await;
        let side = pair.side(round);
        let told = side.watch(&key).await;
        assert!(pair.side(round / 2).delete(&key).await, "it was there");
        gone(&pair, side, &key, told).await;
    }
}

/// Whoever looks when his watch has been answered misses nothing: an end that comes before he first waits is told.
pub async fn a_watch_hears_from_its_answer_on(pair: Pair) {
    for round in 0..8 {
        let (key, _) = pair.created().await;
        let told = pair.one.watch(&key).await;
        assert!(pair.one.peek(&key).await.is_some(), "it is there");
        assert!(pair.side(round).delete(&key).await, "it was there");
        // On its way it has gone by, if nobody listens.
        tokio::time::sleep(Duration::from_millis(20)).await;
        gone(&pair, &pair.one, &key, told).await;
    }
}

/// Everybody is told, however many watch one record, and on whichever handle.
pub async fn everybody_who_watches_is_told(pair: Pair) {
    let (key, _) = pair.created().await;
    let mut watches = Vec::new();
    for number in 0..MANY {
        watches.push((number, pair.side(number).watch(&key).await));
    }
    assert!(pair.one.delete(&key).await, "it was there");
    for (number, told) in watches {
        gone(&pair, pair.side(number), &key, told).await;
    }
}

/// A watch that was given up takes nothing with it: neither the record nor the watch of another.
pub async fn a_watch_that_is_dropped_leaves_nothing_behind(pair: Pair) {
    let (key, first) = pair.created().await;
    let kept = pair.one.watch(&key).await;
    for number in 0..MANY {
        drop(pair.side(number).watch(&key).await);
    }
    assert_eq!(pair.other.peek(&key).await, Some(first.clone()));
    let later = pair.one.watch(&key).await;
    drop(pair.one.watch(&key).await);
    assert!(pair.other.delete(&key).await, "it was there");
    for told in [kept, later] {
        gone(&pair, &pair.one, &key, told).await;
    }
    assert!(pair.other.create(&key, first.clone(), pair.touch()).await, "nothing is stored under the key");
    assert!(pair.one.delete(&key).await, "it was there");
}

/// Who watches a session doesn't use it, and watching what isn't there makes it no record.
pub async fn watching_is_no_use_and_creates_nothing(pair: Pair) {
    let (there, first) = pair.created().await;
    let absent = key();
    pair.pass(Duration::from_secs(1)).await;
    for side in [&pair.one, &pair.other] {
        let _told = (side.watch(&there).await, side.watch(&absent).await);
        assert_eq!(pair.other.peek(&there).await, Some(first.clone()), "watching is no use");
        assert_eq!(pair.other.peek(&absent).await, None);
    }
    assert!(pair.one.create(&absent, pair.record(1, "x"), pair.touch()).await, "nothing is there");
}
