//! What holds of every backend's records.

use std::time::Duration;

use tokio::task::JoinSet;

use super::interrupted::{STEPS, overlap};
use super::pair::key;
use super::{IDLE, LIFETIME, MANY, Pair, sequences};
use crate::backend::{Record, RecordKey, Touch, Written};
use crate::clock::Timestamp;

/// A record is created unless there is one, and any handle loads it byte by byte as it was written: an empty
/// body, a megabyte, a version of 64 bits; with `last_seen` as it was before that load.
pub async fn a_record_is_created_once_and_loaded_as_it_was_written(pair: Pair) {
    let (key, first) = pair.created().await;
    pair.pass(Duration::from_millis(10)).await;
    assert!(!pair.other.create(&key, pair.record(1, "second"), pair.touch()).await, "there is one already");
    let loaded = pair.other.load(&key, pair.touch()).await.expect("it was created");
    assert_eq!(loaded, first, "what was created, with the last use as it was before this load");
    assert!(loaded.body == first.body, "another body came back");

    let (empty, large) = (Vec::new(), pair.record(1, &"x".repeat(1 << 20)).body.to_vec());
    for (version, body) in [(u64::MAX - 1, empty), ((1 << 63) + 1, large)] {
        let (key, record) = (self::key(), Record { body: body.into(), ..pair.record(version, "") });
        assert!(pair.one.create(&key, record.clone(), pair.touch()).await);
        let loaded = pair.other.load(&key, pair.touch()).await.expect("it was created");
        assert_eq!((loaded.version, loaded.body.len()), (record.version, record.body.len()));
        assert!(loaded.body == record.body, "another body came back");
    }
}

/// All 32 bytes of a key count, whichever they are: the text of a key may differ in nothing but a letter's case.
pub async fn keys_that_look_alike_name_different_records(pair: Pair) {
    let key = *key().as_bytes();
    let changed = |key: [u8; 32], byte: usize, bits: u8| {
        let mut changed = key;
        changed[byte] ^= bits;
        changed
    };
    // `AAA…` and `aAA…` as base64 text.
    let upper_and_lower = [[0; 32], changed([0; 32], 0, 26 << 2)];
    let one_bit = (0..32).map(|byte| changed(key, byte, 1 << (byte % 8)));
    let keys = [key, [0xff; 32]].into_iter().chain(upper_and_lower).chain(one_bit).map(RecordKey::from_bytes);
    let keys: Vec<_> = keys.collect();
    for (number, key) in keys.iter().enumerate() {
        let record = pair.record(1, &number.to_string());
        assert!(pair.one.create(key, record, pair.touch()).await, "another key was taken for this one");
    }
    for (number, key) in keys.iter().enumerate() {
        let body = pair.record(1, &number.to_string()).body.to_vec();
        assert_eq!(pair.stored(&pair.other, key).await, Some((1, body)));
    }
}

/// A session that isn't there is no error, and nothing but creating it creates it.
pub async fn loading_updating_and_deleting_what_is_not_there_is_no_error_and_creates_nothing(pair: Pair) {
    let key = key();
    assert_eq!(pair.one.load(&key, pair.touch()).await, None);
    for expected in [0, 1, 2] {
        let answer = pair.one.update(&key, expected, pair.record(2, "new"), pair.touch()).await;
        assert_eq!(answer, Written::Absent);
    }
    assert!(!pair.one.delete(&key).await, "there was nothing to delete");
    assert_eq!(pair.other.load(&key, pair.touch()).await, None);
}

/// Creating is atomic: of two sessions with one id one is refused, so that neither overwrites the other.
pub async fn of_many_who_create_one_record_at_once_one_succeeds(pair: Pair) {
    for steps in STEPS {
        let key = key();
        let create = |side: usize| pair.side(side).create(&key, pair.record(1, "x"), pair.touch());
        let (one, other) = overlap(steps, create(0), create(1)).await;
        assert!(one != other, "both created one record, or none did: {one}");
        pair.one.delete(&key).await;
    }
    for _ in 0..4 {
        let key = key();
        let mut tasks = JoinSet::new();
        for number in 0..MANY {
            let pair = pair.clone();
            tasks.spawn(async move {
                let record = pair.record(1, &number.to_string());
                let body = record.body.to_vec();
                pair.side(number).create(&key, record, pair.touch()).await.then_some(body)
            });
        }
        let winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let [winner] = &winners[..] else { panic!("{} of {MANY} created one record", winners.len()) };
        assert_eq!(pair.stored(&pair.one, &key).await, Some((1, winner.clone())));
    }
}

/// An update says which version it read, and is refused when that isn't the stored one.
pub async fn an_update_replaces_the_version_that_it_names_and_no_other(pair: Pair) {
    let (key, first) = pair.created().await;
    let update = async |side: usize, expected, version, text: &str| {
        pair.side(side).update(&key, expected, pair.record(version, text), pair.touch()).await
    };
    for side in [&pair.one, &pair.other] {
        assert_eq!(pair.stored(side, &key).await, Some((1, first.body.to_vec())));
    }
    assert_eq!(update(0, 2, 3, "wrong").await, Written::Conflict);
    assert_eq!(update(1, 1, 2, "right").await, Written::Done);
    assert_eq!(update(0, 1, 2, "late").await, Written::Conflict);
    for side in [&pair.one, &pair.other] {
        assert_eq!(pair.stored(side, &key).await, Some((2, pair.record(2, "right").body.to_vec())));
    }
}

/// Updating is atomic: no change is lost in silence.
pub async fn of_many_who_update_one_version_at_once_one_succeeds(pair: Pair) {
    let (key, _) = pair.created().await;
    let mut last = 1;
    for steps in STEPS {
        let update = |side: usize| pair.side(side).update(&key, last, pair.record(last + 1, "x"), pair.touch());
        match overlap(steps, update(0), update(1)).await {
            (Written::Done, Written::Conflict) | (Written::Conflict, Written::Done) => last += 1,
            answers => panic!("{answers:?} for two updates of one version"),
        }
    }
    for version in last..last + 4 {
        let mut tasks = JoinSet::new();
        for number in 0..MANY {
            let pair = pair.clone();
            tasks.spawn(async move {
                let record = pair.record(version + 1, &number.to_string());
                pair.side(number).update(&key, version, record, pair.touch()).await
            });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.iter().filter(|answer| **answer == Written::Done).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| **answer == Written::Conflict).count(), MANY - 1, "{answers:?}");
    }
}

/// A session that has ended stays ended: whoever loaded it before and saves now creates nothing.
pub async fn an_update_never_brings_back_what_was_deleted(pair: Pair) {
    let (key, _) = pair.created().await;
    assert!(pair.other.delete(&key).await, "it was there");
    assert_eq!(pair.one.update(&key, 1, pair.record(2, "late"), pair.touch()).await, Written::Absent);
    assert_eq!(pair.one.load(&key, pair.touch()).await, None);
    assert!(!pair.one.delete(&key).await, "it has gone already");
    assert!(pair.one.create(&key, pair.record(1, "another"), pair.touch()).await, "the name is free again");
}

/// Loading slides the idle timeout, for every handle and without a new version.
pub async fn a_load_notes_the_use_within_the_slack_that_the_store_names(pair: Pair) {
    let (key, first) = pair.created().await;
    let slack = pair.one.slack(IDLE);
    assert!(slack < IDLE, "a slack of {slack:?} for a timeout of {IDLE:?}");
    let later = Touch { now: first.last_seen.plus(slack).plus(Duration::from_millis(1)), ..pair.touch() };
    let loaded = pair.one.load(&key, later).await.expect("it is there");
    assert_eq!(loaded.last_seen, first.last_seen, "as it was before this load");
    let again = pair.other.load(&key, later).await.expect("it is there");
    assert_eq!(again.last_seen, later.now, "the first load was noted");
    assert_eq!((again.version, again.expires), (first.version, first.expires), "a use changes nothing else");
    assert_eq!(pair.one.update(&key, 1, pair.record(2, "new"), later).await, Written::Done, "no new version");
}

/// What somebody sees in a list of sessions keeps none of them alive.
pub async fn looking_at_a_record_is_no_use_of_it(pair: Pair) {
    assert_eq!(pair.one.peek(&key()).await, None);
    let (key, first) = pair.created().await;
    for side in [&pair.one, &pair.other] {
        assert_eq!(side.peek(&key).await.as_ref(), Some(&first));
    }
    let later =
        Touch { now: first.last_seen.plus(pair.one.slack(IDLE)).plus(Duration::from_millis(1)), ..pair.touch() };
    assert_eq!(pair.one.load(&key, later).await.as_ref(), Some(&first), "nobody has used it before");
    assert_eq!(pair.other.peek(&key).await.map(|record| record.last_seen), Some(later.now));
}

/// A use that is noted late is noted in the record as it is then: a change made meanwhile stays.
pub async fn a_load_that_meets_a_change_takes_nothing_back(pair: Pair) {
    let (key, first) = pair.created().await;
    let slack = pair.one.slack(IDLE).max(Duration::from_millis(1));
    let mut now = first.last_seen;
    for (version, steps) in (1..).zip(STEPS) {
        now = now.plus(slack);
        let touch = Touch { now, expires: first.expires, idle: IDLE };
        let record = Record { last_seen: now, expires: first.expires, ..pair.record(version + 1, "new") };
        let load = pair.side(steps).load(&key, touch);
        let update = pair.side(steps / 2).update(&key, version, record, touch);
        let (loaded, written) = overlap(steps, load, update).await;
        assert!(loaded.is_some(), "it was there all the time");
        assert_eq!(written, Written::Done, "version {version} is stored, and no load makes another");
        let found = pair.one.load(&key, touch).await.expect("it is there");
        assert_eq!(found.version, version + 1, "the use of an older version was written over a newer one");
    }
}

/// A use that is noted after the session was ended brings nothing back.
pub async fn a_load_that_meets_the_end_never_brings_the_record_back(pair: Pair) {
    for steps in STEPS {
        let (key, first) = pair.created().await;
        let due = first.last_seen.plus(pair.one.slack(IDLE)).plus(Duration::from_millis(1));
        let touch = Touch { now: due, ..pair.touch() };
        let load = pair.side(steps).load(&key, touch);
        let (_, found) = overlap(steps, load, pair.side(steps / 2).delete(&key)).await;
        assert!(found, "it was there");
        for side in [&pair.one, &pair.other] {
            assert_eq!(side.load(&key, touch).await, None, "what has ended stays ended");
        }
    }
}

/// A body that tells its version, so that half a record shows.
fn told(pair: &Pair, version: u64) -> Record {
    pair.record(version, &version.to_string().repeat(1 + 500 * (version % 3) as usize))
}

async fn version(pair: &Pair, side: usize, key: &RecordKey) -> u64 {
    let (version, body) = pair.stored(pair.side(side), key).await.expect("it is there all the time");
    assert!(body == told(pair, version).body, "the body is of another version");
    version
}

/// A record is replaced as a whole, and whoever has seen a version sees no older one.
pub async fn a_reader_sees_one_version_or_the_next_and_never_half_of_it(pair: Pair) {
    let (key, last) = (key(), 1 + 2 * STEPS.len() as u64);
    assert!(pair.one.create(&key, told(&pair, 1), pair.touch()).await);
    let mut readers = JoinSet::new();
    for side in 0..2 {
        let pair = pair.clone();
        readers.spawn(async move {
            let mut seen = 0;
            while seen < last {
                let now = version(&pair, side, &key).await;
                assert!(now >= seen, "version {now} after version {seen}");
                seen = now;
                tokio::task::yield_now().await;
            }
        });
    }
    for (before, steps) in (1..).zip(STEPS.chain(STEPS)) {
        let update = pair.side(steps).update(&key, before, told(&pair, before + 1), pair.touch());
        let (written, seen) = overlap(steps, update, version(&pair, steps / 2, &key)).await;
        assert_eq!(written, Written::Done);
        assert!(seen == before || seen == before + 1, "version {seen} while {before} is replaced");
    }
    pair.within("the readers see the last version", readers.join_all()).await;
}

/// Looking at a session that has expired, be it by its idle timeout or its lifetime, doesn't revive it.
pub async fn an_expired_record_is_not_revived_by_loading_it(pair: Pair) {
    let slack = pair.one.slack(IDLE);
    let idle = |record: &Record| Touch { now: record.last_seen.plus(IDLE).plus(slack), ..pair.touch() };
    let ended = |record: &Record| Touch { now: record.expires, idle: IDLE, expires: record.expires };
    for expiry in [&idle as &(dyn Fn(&Record) -> Touch + Sync), &ended] {
        let (key, record) = pair.created().await;
        let touch = expiry(&record);
        for side in [&pair.one, &pair.other, &pair.one] {
            let loaded = side.load(&key, touch).await;
            assert!(loaded.is_none_or(|record| !touch.is_live(&record, slack)), "a look revived it");
        }
    }
}

/// The idle timeout is counted from the last use, and no live record is forgotten.
pub async fn a_record_outlives_its_idle_timeout_only_by_being_used(pair: Pair) {
    for _ in 0..20 {
        if outlives(&pair, Duration::from_millis(500)).await {
            return;
        }
    }
    panic!("this machine is too busy to tell: half a second went by between two looks, again and again");
}

/// `false` if time went by that nobody had meant to.
async fn outlives(pair: &Pair, idle: Duration) -> bool {
    let touch = || Touch { now: pair.now(), idle, expires: pair.now().plus(LIFETIME) };
    let (used, unused, rested) = (key(), key(), key());
    let begun = pair.now();
    for key in [&used, &unused, &rested] {
        assert!(pair.one.create(key, pair.record(1, "x"), touch()).await);
    }
    let slack = pair.one.slack(idle);
    let alive = async |key: &RecordKey, last| {
        let touch = touch();
        let alive = pair.other.load(key, touch).await.is_some_and(|record| touch.is_live(&record, slack));
        assert!(alive || pair.may_have_passed(idle, last), "a live record was forgotten");
        alive.then_some(touch.now)
    };
    let (mut last, mut rests) = (begun, true);
    while pair.now().since(begun) < idle * 3 {
        match alive(&used, last).await {
            Some(now) => last = now,
            None => return false,
        }
        if rests && pair.now().since(begun) >= idle * 3 / 4 {
            rests = false;
            if alive(&rested, begun).await.is_none() {
                return false;
            }
        }
        pair.pass(idle / 20).await;
    }
    let touch = touch();
    let loaded = pair.one.load(&unused, touch).await;
    assert!(loaded.is_none_or(|record| !touch.is_live(&record, slack)), "nobody used it, and it is alive");
    true
}

/// A record that is used with an idle timeout without end is there however long nobody asks for it, and can be
/// written, until it expires.
pub async fn a_record_that_never_idles_is_there_until_it_expires(pair: Pair) {
    let (key, start) = (key(), pair.now());
    let ends = start.plus(LIFETIME);
    let touch = || Touch { now: pair.now(), idle: Duration::MAX, expires: ends };
    let record = |version| Record { expires: ends, ..pair.record(version, "x") };
    assert!(pair.one.create(&key, record(1), touch()).await);
    for version in 2..5 {
        // Where the clock can't be turned, at least a moment.
        pair.pass(if pair.is_real_time() { Duration::from_millis(50) } else { LIFETIME / 5 }).await;
        assert!(pair.other.peek(&key).await.is_some(), "nobody has used it, and it is not idle");
        let loaded = pair.other.load(&key, touch()).await.map(|record| record.version);
        assert_eq!(loaded, Some(version - 1), "nobody has used it, and it is not idle");
        assert_eq!(pair.one.update(&key, version - 1, record(version), touch()).await, Written::Done);
        assert_eq!(pair.other.load(&key, touch()).await.map(|record| record.version), Some(version));
    }
    if !pair.is_real_time() {
        pair.pass(LIFETIME).await;
        let left = pair.one.load(&key, touch()).await;
        assert!(left.is_none_or(|record| !touch().is_live(&record, Duration::ZERO)), "it has expired");
    }
}

/// A clock that jumps ahead and back, or stands before the record's own times, makes no session immortal,
/// and no error.
pub async fn a_clock_that_jumps_makes_no_immortal_record(pair: Pair) {
    let (key, record) = pair.created().await;
    let slack = pair.one.slack(IDLE);
    let at = |now| Touch { now, idle: IDLE, expires: record.expires };
    let start = record.last_seen;
    let far = at(start.plus(Duration::from_secs(86_400 * 365)));
    let before = at(Timestamp::from_secs(start.as_secs() / 2));
    for touch in [at(start.plus(IDLE / 2)), far, at(start), before, at(record.expires)] {
        if let Some(loaded) = pair.other.load(&key, touch).await {
            assert_eq!(loaded.expires, record.expires, "the end doesn't move");
            assert!(loaded.last_seen <= record.expires, "a use after the end is none");
        }
    }
    let over = at(record.expires);
    assert!(pair.one.load(&key, over).await.is_none_or(|record| !over.is_live(&record, slack)), "it has expired");
}

/// Random operations on a few records through both handles, with time going by, answer as a simple model does.
///
/// A failure prints the shortest sequence that was found to fail, and the seed: set `CONFORMANCE_SEED` to it to
/// have the same sequence again.
pub async fn any_sequence_of_operations_ends_as_the_model_says(pair: Pair) {
    sequences::check(&pair, false).await;
}
