//! Machines whose clocks differ, on one database: leases and sweeps go by its clock.

use std::time::Duration;

use session_runtime::{
    Clock, SystemClock, Timestamp,
    backend::{Acquired, Backend, Holder, Lease, Leases, Record, RecordKey, Sweep, Touch, Written},
};

use crate::sql::{Database, HOUR, KEY, on_each, record, touch_at};

on_each! {
    sqlite: crate::sql::SqliteFile, postgres: session_tests::Postgres, mysql: session_tests::MariaDb => [
        a_machine_whose_clock_is_ahead_sweeps_no_session_in_use
        a_session_that_was_used_where_the_clock_is_ahead_is_kept_for_those_who_use_it_elsewhere
        two_machines_whose_clocks_differ_never_hold_a_session_at_once
        a_holder_whose_clock_is_wrong_extends_and_saves_like_any_other
    ]
}

const MINUTE: Duration = Duration::from_secs(60);
const SKEW: Duration = Duration::from_secs(45 * 60);

/// The time on a machine whose clock is right, and on two whose clocks are not.
fn now() -> Timestamp {
    SystemClock.now()
}

fn ahead() -> Timestamp {
    now().plus(SKEW)
}

fn behind() -> Timestamp {
    Timestamp::from_secs(now().as_secs() - SKEW.as_secs())
}

async fn a_machine_whose_clock_is_ahead_sweeps_no_session_in_use<D: Database>() {
    let database = D::start().await;
    let (right, wrong) = (database.open().await, database.open_apart().await);
    let touch = || Touch { idle: MINUTE * 30, ..touch_at(now()) };
    let keys: Vec<_> = (1..=20).map(|number| RecordKey::from_bytes([number; 32])).collect();
    for key in &keys {
        assert!(right.create(key, record(1, "x"), touch()).await.unwrap());
    }
    for _ in 0..3 {
        assert_eq!(wrong.sweep(ahead(), 100).await.unwrap(), 0);
        for key in &keys {
            // Looked at there, it has been idle for too long; that is no reason to remove it.
            let elsewhere = Touch { now: ahead(), ..touch() };
            wrong.load(key, elsewhere).await.unwrap();
            assert!(right.load(key, touch()).await.unwrap().is_some());
        }
        database.age(MINUTE * 20).await;
    }
    database.age(MINUTE * 20).await;
    assert_eq!(wrong.sweep(behind(), 100).await.unwrap(), 20, "nobody has used them for too long");
}

async fn a_session_that_was_used_where_the_clock_is_ahead_is_kept_for_those_who_use_it_elsewhere<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    // There its lifetime is over in five minutes.
    let expires = now().plus(SKEW + MINUTE * 5);
    let used = |now| Touch { now, idle: HOUR, expires };
    assert!(backend.create(&KEY, Record { expires, ..record(1, "x") }, used(now())).await.unwrap());
    assert!(backend.load(&KEY, used(ahead())).await.unwrap().is_some());
    for _ in 0..4 {
        assert!(backend.load(&KEY, used(now())).await.unwrap().is_some());
        database.age(MINUTE * 8).await;
        assert_eq!(backend.sweep(now(), 10).await.unwrap(), 0, "it is in use");
    }
}

async fn two_machines_whose_clocks_differ_never_hold_a_session_at_once<D: Database>() {
    let database = D::start().await;
    let (one, other) = (database.open_apart().await, database.open_apart().await);
    assert!(one.create(&KEY, record(1, "x"), touch_at(now())).await.unwrap());
    for (first, second) in [(now(), ahead()), (now(), now().plus(Duration::from_secs(15))), (behind(), now())] {
        let at = |now| Lease { holder: Holder::new(), ttl: Duration::from_secs(10), now };
        let held = at(first);
        assert!(matches!(one.acquire(&KEY, held, touch_at(now())).await.unwrap(), Acquired::Granted(_)));
        let next = other.acquire(&KEY, at(second), touch_at(now())).await.unwrap();
        assert!(matches!(next, Acquired::Busy(_)), "the first one has it for ten seconds");
        one.release(&KEY, held).await.unwrap();
    }
}

async fn a_holder_whose_clock_is_wrong_extends_and_saves_like_any_other<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    assert!(backend.create(&KEY, record(1, "x"), touch_at(now())).await.unwrap());
    for (version, wrong) in [(1, ahead as fn() -> Timestamp), (2, behind)] {
        let lease = || Lease { holder: Holder::new(), ttl: Duration::from_secs(60), now: wrong() };
        let held = lease();
        let granted = backend.acquire(&KEY, held, touch_at(wrong())).await.unwrap();
        assert!(matches!(granted, Acquired::Granted(_)));
        assert!(backend.extend(&KEY, Lease { now: wrong(), ..held }).await.unwrap());
        let next = Record { last_seen: wrong(), ..record(version + 1, "y") };
        let saved = backend.save(&KEY, Lease { now: wrong(), ..held }, version, next, touch_at(wrong())).await;
        assert_eq!(saved.unwrap(), Written::Done);
    }
}
