//! What holds of listing.

use std::collections::{BTreeMap, BTreeSet};

use super::Pair;
use super::pair::{StoreHandle, key};
use crate::backend::{ListedRecord, Record, RecordKey};

/// More pages than any of these stores has.
const PAGES: usize = 10_000;

/// What a list shows, page by page; what happens between two pages is the caller's.
async fn listed(pair: &Pair, limit: usize, mut between: impl AsyncFnMut(usize)) -> BTreeMap<RecordKey, Option<Record>> {
    let (mut all, mut after) = (BTreeMap::new(), None);
    for page in 0..PAGES {
        // Each handle goes on where the other one stopped, as two processes may that share the work.
        let found = pair.side(page).list(after.as_ref(), limit).await;
        all.extend(found.records.into_iter().map(|ListedRecord { key, record }| (key, record)));
        after = found.next;
        if after.is_none() {
            return all;
        }
        between(page).await;
    }
    panic!("the list has no end");
}

async fn filled(pair: &Pair, side: &StoreHandle, count: usize) -> BTreeMap<RecordKey, Option<Record>> {
    let mut records = BTreeMap::new();
    for number in 0..count {
        let (key, record) = (key(), pair.record(number as u64 + 1, &number.to_string()));
        assert!(side.create(&key, record.clone(), pair.touch()).await, "nothing is stored under a new key");
        records.insert(key, Some(record));
    }
    records
}

/// Whatever the size of a page.
pub async fn every_record_is_listed_as_it_is_stored(pair: Pair) {
    assert!(listed(&pair, 10, async |_| ()).await.is_empty(), "nothing is stored yet");
    let records = filled(&pair, &pair.one, 40).await;
    for limit in [0, 1, 7, 40, 1000, usize::MAX] {
        assert_eq!(listed(&pair, limit, async |_| ()).await, records, "by pages of {limit}");
    }
}

/// A list shows what is stored now: another handle's records and changes, and nothing that was deleted.
pub async fn a_list_shows_what_is_stored_at_the_moment(pair: Pair) {
    let mut records = filled(&pair, &pair.one, 5).await;
    assert_eq!(listed(&pair, 2, async |_| ()).await, records);
    records.extend(filled(&pair, &pair.other, 5).await);
    let gone = *records.keys().next().expect("there are ten");
    assert!(pair.other.delete(&gone).await);
    records.remove(&gone);
    assert_eq!(listed(&pair, 2, async |_| ()).await, records);
}

/// What is stored from the first page to the last is listed, whatever becomes of the rest meanwhile.
pub async fn what_is_stored_all_along_is_listed_while_others_come_and_go(pair: Pair) {
    let all: Vec<RecordKey> = filled(&pair, &pair.one, 40).await.into_keys().collect();
    // Every other key in order, so that what goes was listed before and behind each place.
    let (stay, mut go): (BTreeSet<_>, Vec<_>) =
        (all.iter().step_by(2).collect(), all.iter().skip(1).step_by(2).collect());
    let come_and_go = async |page| {
        let side = pair.side(page);
        // The first and the last ones that are left.
        for gone in [if go.is_empty() { None } else { Some(go.remove(0)) }, go.pop()].into_iter().flatten() {
            assert!(side.delete(gone).await, "it was there");
        }
        filled(&pair, side, usize::from(page < 20)).await;
    };
    let found = listed(&pair, 4, come_and_go).await;
    let missing = stay.iter().filter(|key| !found.contains_key(key)).count();
    assert_eq!(missing, 0, "of {} records that were there all along", stay.len());
}

/// Looking is no use, and writes nothing.
pub async fn listing_is_no_use_of_a_record(pair: Pair) {
    let records = filled(&pair, &pair.one, 5).await;
    if !pair.is_real_time() {
        pair.pass(super::IDLE / 2).await;
    }
    for _ in 0..3 {
        assert_eq!(listed(&pair, 2, async |_| ()).await, records, "it is as it was");
    }
    for (key, record) in &records {
        assert_eq!(pair.other.peek(key).await, *record, "it is as it was");
    }
}
