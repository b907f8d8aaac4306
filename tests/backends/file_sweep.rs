//! What the sweep of a folder takes, and what it leaves.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use session_runtime::{
    Timestamp,
    backend::{Backend, File, Holder, Record, RecordKey, Sweep, Touch},
};
use session_tests::wait;

use crate::file::{IDLE, KEY, LIFETIME, START, create, has, is_granted, record, record_of, store, touch};

/// Sweeps in turn, `limit` at most each time, until `all` are gone and there is nothing left to take. How many of them
/// one call takes depends on the disk, too: after half a second it leaves the rest to the next.
async fn sweep(files: [&File; 2], now: Timestamp, limit: usize, all: usize) {
    let (mut swept, mut turns) = (0, files.iter().cycle());
    wait::progress(wait::ANSWER, "what has expired is swept", all as u64, async || {
        let taken = turns.next().unwrap().sweep(now, limit).await.unwrap();
        assert!(taken <= limit, "{taken} of {limit} at most");
        swept += taken;
        swept as u64
    })
    .await;
    assert_eq!(swept, all);
    assert_eq!(files[0].sweep(now, limit).await.unwrap(), 0, "that was all");
}

#[tokio::test]
async fn a_sweep_takes_no_more_than_it_was_told_to_and_only_what_has_expired() {
    let (store, folder) = store();
    let key = |number: u8| RecordKey::from_bytes([number.wrapping_mul(7); 32]);
    let later = START.plus(IDLE + store.one.idle_slack(IDLE));
    for number in 0..150 {
        create(&store.one, &key(number)).await;
    }
    for number in 150..200 {
        let used = Record { last_seen: later, ..record(1, "used") };
        assert!(store.one.create(&key(number), used, touch(later)).await.unwrap());
    }
    let anonymous = folder.path().join("2a/somebody's notes");
    fs::write(&anonymous, "x").unwrap();
    assert_eq!(store.one.sweep(START.plus(IDLE / 2), 1000).await.unwrap(), 0, "nothing has expired yet");
    let files = [&*store.one, &*store.other];
    sweep(files, later, 64, 150).await;
    for number in 150..200 {
        assert!(store.one.load(&key(number), touch(later)).await.unwrap().is_some(), "{number}");
    }
    sweep(files, START.plus(LIFETIME), 1000, 50).await;
    assert!(anonymous.exists());
}

#[tokio::test]
async fn a_sweep_takes_a_session_of_a_type_with_a_shorter_timeout_and_none_of_another() {
    let (store, _folder) = store();
    create(&store.one, &KEY).await;
    let short = Touch { idle: IDLE / 10, ..touch(START) };
    assert!(store.one.create(&RecordKey::from_bytes([43; 32]), record(1, "body"), short).await.unwrap());
    sweep([&*store.one; 2], START.plus(IDLE / 2), 10, 1).await;
    assert!(has(&store.one, &KEY).await);
}

#[tokio::test]
async fn a_sweep_takes_drafts_that_are_ancient_and_leases_that_nobody_holds() {
    let (store, folder) = store();
    let other = RecordKey::from_bytes([43; 32]);
    for key in [&KEY, &other] {
        create(&store.one, key).await;
    }
    assert!(is_granted(&store.one, &KEY, Holder::new()).await);
    let held = record_of(folder.path(), &KEY).with_extension("lease");
    let left = record_of(folder.path(), &other).with_extension("lease");
    fs::copy(&held, &left).unwrap();
    let drafts = ["0123456789abcdef.draft", "fedcba9876543210.draft"].map(|name| folder.path().join("2a").join(name));
    for (draft, minutes) in drafts.iter().zip([1, 11]) {
        let draft = fs::File::create(draft).unwrap();
        draft.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes)).unwrap();
    }
    wait::until(wait::ANSWER, "what nobody needs is gone", async || {
        assert_eq!(store.other.sweep(START, 100).await.unwrap(), 0, "what is counted is records");
        !drafts[1].exists() && !left.exists()
    })
    .await;
    assert_eq!([&drafts[0], &drafts[1], &held, &left].map(|path| path.exists()), [true, false, true, false]);
    assert!(!is_granted(&store.other, &KEY, Holder::new()).await);
    for key in [&KEY, &other] {
        assert!(has(&store.one, key).await);
    }
}

#[tokio::test]
async fn one_sweeps_at_a_time() {
    let (store, folder) = store();
    create(&store.one, &KEY).await;
    let sweeper = fs::File::open(folder.path().join("sweeper")).unwrap();
    sweeper.lock().unwrap();
    let far = START.plus(LIFETIME);
    assert_eq!(store.one.sweep(far, 10).await.unwrap(), 0);
    sweeper.unlock().unwrap();
    sweep([&*store.one; 2], far, 10, 1).await;
}
