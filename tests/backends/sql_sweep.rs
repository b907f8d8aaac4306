//! The sweep of the SQL backends: what goes, what stays, and who does it.

use std::{sync::Arc, time::Duration};

use session_runtime::{
    Clock, SystemClock, Timestamp,
    backend::{Backend, Record, RecordKey, Sweep, Touch},
};
use sqlx::Executor;

use crate::sql::{Database, HOUR, on_each, record, touch, touch_at};

on_each! {
    sqlite: crate::sql::SqliteFile, postgres: session_tests::Postgres, mysql: session_tests::MariaDb => [
        a_sweep_removes_what_has_expired_in_batches_and_nothing_else
        a_session_in_use_is_swept_when_its_lifetime_is_over
        types_with_other_idle_timeouts_share_a_table
        one_process_sweeps_at_a_time
        a_session_used_under_the_sweep_survives_it
        writes_of_many_at_once_collide_with_no_sweep
    ]
}

const MINUTE: Duration = Duration::from_secs(60);

fn numbered(number: u16) -> RecordKey {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.wrapping_mul(40_503).to_be_bytes());
    bytes[2..4].copy_from_slice(&number.to_be_bytes());
    RecordKey::from_bytes(bytes)
}

/// Makes records that were last used at that time.
async fn used_at<B: Backend>(backend: &B, numbers: std::ops::Range<u16>, now: Timestamp) {
    for number in numbers {
        let record = Record { last_seen: now, expires: now.plus(HOUR * 12), ..record(1, "x") };
        assert!(backend.create(&numbered(number), record, touch_at(now)).await.unwrap());
    }
}

async fn a_sweep_removes_what_has_expired_in_batches_and_nothing_else<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    let last = HOUR + backend.idle_slack(HOUR) - MINUTE;
    used_at(&backend, 0..150, SystemClock.now()).await;
    database.age(last).await;
    assert_eq!(backend.sweep(SystemClock.now(), 1000).await.unwrap(), 0);
    used_at(&backend, 150..160, SystemClock.now()).await;
    database.age(MINUTE).await;
    let mut swept = Vec::new();
    while database.number("SELECT COUNT(*) FROM sessions").await > 10 {
        swept.push(backend.sweep(SystemClock.now(), 70).await.unwrap());
    }
    assert_eq!(swept, [70, 70, 10]);
    assert_eq!(backend.sweep(SystemClock.now(), 70).await.unwrap(), 0);
    for number in 150..160 {
        assert!(backend.load(&numbered(number), touch()).await.unwrap().is_some());
    }
}

/// However much it is used, a session is not kept for longer than its lifetime.
async fn a_session_in_use_is_swept_when_its_lifetime_is_over<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    used_at(&backend, 0..1, SystemClock.now()).await;
    for _ in 0..13 {
        assert_eq!(backend.sweep(SystemClock.now(), 10).await.unwrap(), 0);
        assert!(backend.load(&numbered(0), touch()).await.unwrap().is_some());
        database.age(HOUR - MINUTE).await;
    }
    assert_eq!(backend.sweep(SystemClock.now(), 10).await.unwrap(), 1);
}

async fn types_with_other_idle_timeouts_share_a_table<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    let now = SystemClock.now();
    let long = Touch { idle: HOUR * 6, ..touch_at(now) };
    let record = Record { last_seen: now, expires: now.plus(HOUR * 12), ..record(1, "x") };
    assert!(backend.create(&numbered(0), record.clone(), long).await.unwrap());
    assert!(backend.create(&numbered(1), record, Touch { idle: HOUR, ..long }).await.unwrap());
    database.age(HOUR * 2).await;
    assert_eq!(backend.sweep(now, 10).await.unwrap(), 1, "the one whose own timeout has passed");
    assert!(backend.load(&numbered(0), long).await.unwrap().is_some());
}

async fn one_process_sweeps_at_a_time<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    let now = SystemClock.now();
    used_at(&backend, 0..3, now).await;
    database.age(HOUR * 2).await;
    let until = now.plus(HOUR).as_millis();
    let holder = match database.address().split("://").next().unwrap() {
        "postgres" => r"'\x00112233445566778899aabbccddeeff'",
        _ => "x'00112233445566778899aabbccddeeff'",
    };
    database.sql(&format!("UPDATE sessions_meta SET sweeper = {holder}, sweeping_until = {until}")).await;
    assert_eq!(backend.sweep(now, 10).await.unwrap(), 0, "somebody else is at it");
    database.age(HOUR).await;
    assert_eq!(backend.sweep(now, 10).await.unwrap(), 3, "he has been at it for too long");
    used_at(&backend, 0..3, now).await;
    database.age(HOUR * 2).await;
    assert_eq!(database.open().await.sweep(now, 10).await.unwrap(), 3, "the other one is through");
}

/// `transact` runs SQL on a connection of its own.
async fn is_kept<D: Database>(database: &D, mut transact: impl AsyncFnMut(&'static str)) {
    let backend = Arc::new(database.open().await);
    let now = SystemClock.now();
    used_at(&*backend, 0..3, now).await;
    database.age(HOUR * 2).await;
    transact("BEGIN").await;
    transact("UPDATE sessions SET keep_until = 9000000000000000000").await;
    let sweep = tokio::spawn({
        let backend = Arc::clone(&backend);
        async move { backend.sweep(now, 10).await }
    });
    // By now the sweep has found them expired, and waits to remove them.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!sweep.is_finished());
    transact("COMMIT").await;
    assert_eq!(sweep.await.unwrap().unwrap(), 0);
    assert_eq!(database.number("SELECT COUNT(*) FROM sessions").await, 3);
}

#[tokio::test]
async fn a_session_used_between_the_look_of_a_sweep_and_its_removal_is_kept() {
    let postgres = session_tests::Postgres::start().await;
    let mut connection = postgres.connect().await;
    is_kept(&postgres, async |sql| _ = connection.execute(sql).await.unwrap()).await;
    let mariadb = session_tests::MariaDb::start().await;
    let mut connection = mariadb.connect().await;
    is_kept(&mariadb, async |sql| _ = connection.execute(sqlx::raw_sql(sql)).await.unwrap()).await;
}

async fn a_session_used_under_the_sweep_survives_it<D: Database>() {
    let database = D::start().await;
    let (sweeper, user) = (database.open_apart().await, database.open_apart().await);
    let start = SystemClock.now();
    used_at(&user, 0..200, start).await;
    // In a moment all of them have expired, in the order in which they were created.
    let moment = Duration::from_millis(300);
    database.age(HOUR + user.idle_slack(HOUR) - moment).await;
    let (used, mut swept) = tokio::join!(
        async {
            let mut used = Vec::new();
            for number in (0..200).rev() {
                let touch = touch();
                user.load(&numbered(number), touch).await.unwrap();
                let stored = user.peek(&numbered(number)).await.unwrap();
                if stored.is_some_and(|stored| stored.last_seen == touch.now) {
                    used.push(number);
                }
            }
            used
        },
        async {
            let mut swept = 0;
            for _ in 0..20 {
                swept += sweeper.sweep(start, 10).await.unwrap();
                tokio::time::sleep(moment / 10).await;
            }
            swept
        }
    );
    while database.number("SELECT COUNT(*) FROM sessions").await > i64::try_from(used.len()).unwrap() {
        swept += sweeper.sweep(start, 70).await.unwrap();
        tokio::time::sleep(moment / 10).await;
    }
    assert_eq!(used.len() + swept, 200, "each was either swept or used");
    for number in used {
        assert!(user.peek(&numbered(number)).await.unwrap().is_some(), "what was used is there");
    }
}

async fn writes_of_many_at_once_collide_with_no_sweep<D: Database>() {
    let database = D::start().await;
    let backend = Arc::new(database.open().await);
    used_at(&*backend, 0..64, SystemClock.now()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8u16 {
        let backend = Arc::clone(&backend);
        tasks.spawn(async move {
            for round in 0..40u16 {
                let key = numbered((task * 7 + round * 5) % 64);
                let Some(before) = backend.load(&key, touch()).await.unwrap() else { continue };
                let after = Record { version: before.version + 1, ..record(1, "y") };
                let _ = backend.update(&key, before.version, after, touch()).await.unwrap();
            }
        });
    }
    let sweeping = async {
        for _ in 0..40 {
            assert_eq!(backend.sweep(SystemClock.now(), 64).await.unwrap(), 0);
        }
    };
    sweeping.await;
    tasks.join_all().await;
    assert_eq!(database.number("SELECT COUNT(*) FROM sessions").await, 64);
}
