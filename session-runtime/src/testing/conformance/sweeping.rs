//! What holds of sweeping.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;

use super::interrupted::{STEPS, overlap};
use super::pair::{StoreHandle, key};
use super::{LIFETIME, Pair};
use crate::backend::{ListedRecord, Record, RecordKey, Touch};
use crate::clock::Timestamp;

/// Short, since a store with a clock of its own has to be waited for.
const IDLE: Duration = Duration::from_millis(500);
const EXPIRED: usize = 40;
const LIVE: usize = 20;

/// Records of which nobody can tell by when they were created whether they have expired.
struct SweepFixture {
    expired: Vec<RecordKey>,
    live: Vec<RecordKey>,
    /// When the expired ones were created, and the live ones.
    start: Timestamp,
    later: Timestamp,
}

fn touch(now: Timestamp) -> Touch {
    Touch { now, idle: IDLE, expires: now.plus(LIFETIME) }
}

/// After how long without a use a record has expired, whatever the slack; in milliseconds, as timestamps are.
fn expiry(pair: &Pair) -> Duration {
    IDLE + pair.one.slack(IDLE) + Duration::from_millis(1)
}

async fn create(pair: &Pair, now: Timestamp) -> RecordKey {
    let key = key();
    let record = Record { last_seen: now, expires: now.plus(LIFETIME), ..pair.record(1, "x") };
    assert!(pair.one.create(&key, record, touch(now)).await);
    key
}

async fn shelf(pair: &Pair) -> SweepFixture {
    let (mut expired, mut live) = (Vec::new(), Vec::new());
    let start = pair.now();
    for _ in 0..EXPIRED {
        expired.push(create(pair, start).await);
    }
    pair.pass(expiry(pair)).await;
    let later = pair.now();
    for _ in 0..LIVE {
        live.push(create(pair, later).await);
    }
    SweepFixture { expired, live, start, later }
}

async fn sweep(pair: &Pair, side: &StoreHandle, limit: usize) -> usize {
    let swept = side.sweep(pair.now(), limit).await;
    assert!(swept <= limit, "{swept} were swept, of {limit} at most");
    swept
}

/// A store with a clock of its own may have forgotten by itself what the sweeps would find.
fn forgets(pair: &Pair, round: usize) -> bool {
    pair.is_real_time() && round > EXPIRED
}

async fn assert_live(pair: &Pair, shelf: &SweepFixture) {
    for key in &shelf.live {
        let touch = Touch { now: shelf.later, ..touch(shelf.later) };
        let found = pair.other.load(key, touch).await.is_some();
        assert!(found || pair.may_have_passed(IDLE, shelf.later), "a live record was swept");
    }
}

/// Sweeping again and again removes everything whose idle timeout is over, and nothing that is alive.
pub async fn a_sweep_removes_what_has_expired_and_nothing_else(pair: Pair) {
    assert_eq!(sweep(&pair, &pair.one, 10).await, 0, "there is nothing");
    let shelf = shelf(&pair).await;
    let (mut swept, mut round) = (0, 0);
    let all = async || {
        round += 1;
        swept += sweep(&pair, pair.side(round), 1000).await;
        swept >= EXPIRED || forgets(&pair, round)
    };
    pair.until("everything that has expired is swept", all).await;
    for key in &shelf.expired {
        assert!(!pair.one.delete(key).await, "it was swept");
    }
    assert_live(&pair, &shelf).await;
    if !pair.is_real_time() {
        assert_eq!((swept, sweep(&pair, &pair.one, 1000).await), (EXPIRED, 0));
    }
}

/// What a sweep does is bounded: it takes no more than it is told to, and says how many it took.
pub async fn a_sweep_removes_no_more_than_it_is_told_to(pair: Pair) {
    let shelf = shelf(&pair).await;
    let mut swept = 0;
    for limit in [1, 7, 1, 0] {
        swept += sweep(&pair, &pair.one, limit).await;
        if pair.is_real_time() {
            continue;
        }
        let mut left = 0;
        for key in &shelf.expired {
            // Looked at as of then, when it was alive.
            left += usize::from(pair.other.load(key, touch(shelf.start)).await.is_some());
        }
        assert_eq!(left, EXPIRED - swept, "more or less was removed than the sweep said");
    }
    assert_live(&pair, &shelf).await;
}

/// What counts is the last use; and the end of the lifetime, however much a session is used.
pub async fn a_sweep_leaves_what_is_in_use_and_takes_what_reached_its_lifetime(pair: Pair) {
    let lifetime = IDLE * 3;
    let start = pair.now();
    let (key, ends) = (key(), start.plus(lifetime));
    let record = Record { expires: ends, ..pair.record(1, "x") };
    let at = |now| Touch { now, idle: IDLE, expires: ends };
    assert!(pair.one.create(&key, record, at(start)).await);
    let mut last = start;
    while pair.now() < ends {
        sweep(&pair, &pair.other, 10).await;
        let (now, late) = (pair.now(), pair.may_have_passed(IDLE, last));
        if pair.one.load(&key, at(now)).await.is_none() {
            assert!(late || now >= ends, "it was in use");
            break;
        }
        last = now;
        pair.pass(IDLE / 10).await;
    }
    pair.pass(lifetime).await;
    if !pair.is_real_time() {
        pair.until("it is swept", async || sweep(&pair, &pair.one, 10).await == 1).await;
    }
    assert!(!pair.one.delete(&key).await || pair.is_real_time(), "it was swept");
}

/// Types with other timeouts share the store, and lists of sessions that never idle out: each record goes by its own.
pub async fn a_sweep_goes_by_each_records_own_time(pair: Pair) {
    let start = pair.now();
    let at = |now: Timestamp, idle: Duration| Touch { now, idle, expires: start.plus(LIFETIME) };
    // The short one comes neither first nor last.
    let idles = [IDLE * 20, IDLE, Duration::MAX];
    let keys = idles.map(|_| key());
    for (key, idle) in keys.iter().zip(idles) {
        let record = Record { expires: start.plus(LIFETIME), ..pair.record(1, "x") };
        assert!(pair.one.create(key, record, at(start, idle)).await);
    }
    let sweep_all = async || {
        for round in 0..10 {
            sweep(&pair, pair.side(round), 1000).await;
        }
    };
    pair.pass(expiry(&pair)).await;
    sweep_all().await;
    let [long, short, endless] = &keys;
    assert!(pair.one.peek(long).await.is_some() || pair.may_have_passed(IDLE * 20, start), "its timeout is longer");
    assert!(pair.other.peek(short).await.is_none(), "its timeout is over");
    assert!(pair.one.peek(endless).await.is_some(), "it is never idle");
    if pair.is_real_time() {
        return;
    }
    pair.pass(IDLE * 30).await;
    sweep_all().await;
    assert!(pair.one.peek(long).await.is_none(), "its timeout is over, too");
    assert!(pair.one.peek(endless).await.is_some(), "it is never idle");
    pair.pass(LIFETIME).await;
    sweep_all().await;
    assert!(pair.one.peek(endless).await.is_none(), "it has reached its end");
}

/// Several processes may sweep at the same time: each record is counted once.
pub async fn many_who_sweep_at_once_remove_each_record_once(pair: Pair) {
    let shelf = shelf(&pair).await;
    let (mut swept, mut round) = (0, 0);
    for steps in STEPS {
        let (one, other) = overlap(steps, sweep(&pair, &pair.one, 1), sweep(&pair, &pair.other, 1)).await;
        swept += one + other;
    }
    let all = async || {
        round += 1;
        let mut sweepers = JoinSet::new();
        for number in 0..8 {
            let pair = pair.clone();
            sweepers.spawn(async move { sweep(&pair, pair.side(number), 4).await });
        }
        swept += sweepers.join_all().await.into_iter().sum::<usize>();
        swept >= EXPIRED || forgets(&pair, round)
    };
    pair.until("everything that has expired is swept", all).await;
    assert!(swept == EXPIRED || pair.is_real_time(), "{swept} were swept, of {EXPIRED}");
    assert_live(&pair, &shelf).await;
}

/// What a store tells of before it forgets it: `None` if it can't, so that it has nothing to show here.
async fn told(pair: &Pair, side: &StoreHandle, limit: usize) -> Option<Vec<ListedRecord>> {
    let told = side.expired(pair.now(), limit).await?;
    assert!(told.len() <= limit, "{} were told of, of {limit} at most", told.len());
    Some(told)
}

/// Who is to hear of a session's end is told before the record goes: telling of it removes nothing, and what is told is
/// what was stored. A store whose [`expired`](crate::backend::Sweep::expired) says `None` has no part in this.
pub async fn what_has_expired_is_told_of_before_it_is_forgotten(pair: Pair) {
    let Some(none) = told(&pair, &pair.one, 10).await else { return };
    assert!(none.is_empty(), "there is nothing");
    let shelf = shelf(&pair).await;
    let (mut heard, mut forgotten, mut round) = (BTreeSet::new(), 0, 0);
    let all = async || {
        round += 1;
        let side = pair.side(round);
        let told = told(&pair, side, 7).await.expect("it could tell before");
        for ListedRecord { key, record } in &told {
            // On a slow machine the live ones expire meanwhile, by a clock that nobody turns.
            let lapsed = || shelf.live.contains(key) && pair.may_have_passed(IDLE, shelf.later);
            assert!(shelf.expired.contains(key) || lapsed(), "what is told of has expired");
            let same =
                record.as_ref().is_some_and(|record| (record.version, &record.body) == (1, &pair.record(1, "x").body));
            assert!(same, "it is told as it was stored");
        }
        let keys: Vec<RecordKey> = told.iter().map(|told| told.key).collect();
        // A store may look for a bounded time at each call, and tell of the rest at the next one.
        let mut missing: BTreeSet<_> = keys.iter().copied().collect();
        let again = async || {
            for again in self::told(&pair, side, 1000).await.expect("it could tell before") {
                missing.remove(&again.key);
            }
            missing.is_empty() || pair.is_real_time()
        };
        pair.until("what was told of is told of again, since telling of it removes nothing", again).await;
        heard.extend(keys.iter().copied());
        forgotten += side.forget(pair.now(), &keys).await;
        forgotten >= EXPIRED || forgets(&pair, round)
    };
    pair.until("everything that has expired is told of and forgotten", all).await;
    assert_live(&pair, &shelf).await;
    if !pair.is_real_time() {
        assert_eq!((heard.len(), forgotten), (EXPIRED, EXPIRED), "each is told of, and forgotten once");
        assert!(told(&pair, &pair.one, 1000).await.expect("it could tell before").is_empty(), "nothing is left");
    }
}

/// Only what has expired is forgotten, whoever is named: a session that was used or made anew since it was told of stays.
pub async fn forgetting_takes_what_has_expired_and_nothing_else(pair: Pair) {
    if told(&pair, &pair.one, 10).await.is_none() {
        return;
    }
    let shelf = shelf(&pair).await;
    let named: Vec<RecordKey> = shelf.expired.iter().chain(&shelf.live).copied().chain([key()]).collect();
    let forgotten = pair.one.forget(pair.now(), &named).await;
    assert_live(&pair, &shelf).await;
    let again = pair.other.forget(pair.now(), &named).await;
    if !pair.is_real_time() {
        assert_eq!((forgotten, again), (EXPIRED, 0), "those are forgotten that had expired, and once");
    }
    let anew = shelf.expired[0];
    let now = pair.now();
    let record = Record { last_seen: now, expires: now.plus(LIFETIME), ..pair.record(1, "anew") };
    assert!(pair.one.create(&anew, record, touch(now)).await, "it was forgotten");
    let forgotten = pair.other.forget(pair.now(), &[anew]).await;
    assert!(forgotten == 0 || pair.may_have_passed(IDLE, now), "it was made anew");
    assert!(pair.other.peek(&anew).await.is_some() || pair.may_have_passed(IDLE, now), "it was made anew");
}
