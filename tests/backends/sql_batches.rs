//! Exclusive borrows of many sessions at once: they share statements, and nothing else.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use session_runtime::backend::{Acquired, Backend, Holder, Leases, RecordKey, Written};
use session_tests::{MariaDb, Postgres};
use sqlx::Executor;
use tokio::time::timeout;

use crate::sql::{Database, SqliteFile, lease, on_each, record, touch};

on_each! {
    sqlite: crate::sql::SqliteFile, postgres: session_tests::Postgres, mysql: session_tests::MariaDb => [
        writes_of_many_sessions_at_once_are_all_stored
        each_of_many_is_told_its_own_outcome
        large_records_of_many_sessions_are_stored_whole
        writers_of_two_processes_lose_no_write
    ]
}

on_each! {
    postgres_rows: session_tests::Postgres, mysql_rows: session_tests::MariaDb => [
        a_row_that_somebody_else_has_locked_keeps_no_other_session_waiting
    ]
}

/// As many as a busy server has at once, and more than one statement has room for.
pub(crate) const MANY: u8 = 60;
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn key(number: u8) -> RecordKey {
    RecordKey::from_bytes([number; 32])
}

pub(crate) fn keys() -> impl Iterator<Item = RecordKey> {
    (0..MANY).map(key)
}

pub(crate) async fn create<B: Backend>(backend: &B) {
    for key in keys() {
        assert!(backend.create(&key, record(1, "new"), touch()).await.unwrap());
    }
}

/// An exclusive borrow that stores the next version.
pub(crate) async fn write<B: Leases>(backend: &B, key: RecordKey, body: &str) -> Written {
    let lease = lease(Holder::new());
    loop {
        match backend.acquire(&key, lease, touch()).await.unwrap() {
            Acquired::Granted(before) => {
                let next = record(before.version + 1, body);
                return backend.save(&key, lease, before.version, next, touch()).await.unwrap();
            }
            Acquired::Busy(freed) => freed.await,
            Acquired::Absent => return Written::Absent,
        }
    }
}

async fn writes_of_many_sessions_at_once_are_all_stored<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    create(&backend).await;
    for round in 1..4_u64 {
        let written = join_all(keys().map(|key| write(&backend, key, "written"))).await;
        assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");
        for key in keys() {
            let stored = backend.peek(&key).await.unwrap().unwrap();
            assert_eq!((stored.version, &stored.body[..]), (round + 1, &b"written"[..]));
        }
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM sessions WHERE lease_holder IS NOT NULL").await, 0);
    assert_eq!(database.complaints(), Vec::<String>::new());
}

async fn each_of_many_is_told_its_own_outcome<D: Database>() {
    let database = D::start().await;
    let (backend, other) = (database.open().await, database.open_apart().await);
    create(&backend).await;
    // Of each four sessions one has ended, one is held by another process, and one was changed by it meanwhile.
    let held = lease(Holder::new());
    for number in 0..MANY {
        match number % 4 {
            1 => assert!(backend.delete(&key(number)).await.unwrap()),
            2 => {
                let Acquired::Granted(_) = other.acquire(&key(number), held, touch()).await.unwrap() else { panic!() };
            }
            _ => {}
        }
    }
    let asked = join_all(keys().map(|key| {
        let backend = &backend;
        async move {
            let mine = lease(Holder::new());
            (mine, backend.acquire(&key, mine, touch()).await.unwrap())
        }
    }))
    .await;
    for (number, (_, acquired)) in (0..MANY).zip(&asked) {
        let as_expected = match acquired {
            Acquired::Granted(record) => matches!(number % 4, 0 | 3) && record.version == 1,
            Acquired::Absent => number % 4 == 1,
            Acquired::Busy(_) => number % 4 == 2,
        };
        assert!(as_expected, "session {number}");
    }
    for number in (3..MANY).step_by(4) {
        assert_eq!(other.update(&key(number), 1, record(2, "another's"), touch()).await.unwrap(), Written::Done);
    }
    let saved = join_all((0..MANY).zip(&asked).map(|(number, (mine, _))| {
        let backend = &backend;
        async move { backend.save(&key(number), *mine, 1, record(2, "mine"), touch()).await.unwrap() }
    }))
    .await;
    let expected = [Written::Done, Written::Absent, Written::Conflict, Written::Conflict];
    for (number, saved) in (0..MANY).zip(&saved) {
        assert_eq!(*saved, expected[usize::from(number % 4)], "session {number}");
    }
    let bodies = [Some("mine"), None, Some("new"), Some("another's")];
    for number in 0..MANY {
        let stored = backend.peek(&key(number)).await.unwrap();
        let body = stored.as_ref().map(|stored| std::str::from_utf8(&stored.body).unwrap());
        assert_eq!(body, bodies[usize::from(number % 4)], "session {number}");
    }
    assert_eq!(database.complaints(), Vec::<String>::new());
}

async fn large_records_of_many_sessions_are_stored_whole<D: Database>() {
    let database = D::start().await;
    let backend = database.open().await;
    create(&backend).await;
    let body = "x".repeat(50_000);
    let written = join_all(keys().map(|key| write(&backend, key, &body))).await;
    assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");
    for key in keys() {
        assert_eq!(backend.peek(&key).await.unwrap().unwrap().body.len(), body.len());
    }
}

async fn writers_of_two_processes_lose_no_write<D: Database>() {
    const SESSIONS: u8 = 20;
    const ROUNDS: u64 = 5;
    let database = D::start().await;
    let backends = [database.open().await, database.open_apart().await];
    create(&backends[0]).await;
    let writers = backends.iter().flat_map(|backend| (0..SESSIONS).map(move |number| (backend, number)));
    let written = join_all(writers.map(|(backend, number)| async move {
        for _ in 0..ROUNDS {
            assert_eq!(write(backend, key(number), "x").await, Written::Done);
        }
    }));
    timeout(PATIENCE, written).await.expect("nobody waits for ever");
    for number in 0..SESSIONS {
        assert_eq!(backends[0].peek(&key(number)).await.unwrap().unwrap().version, 1 + 2 * ROUNDS, "session {number}");
    }
}

/// What can lock one row for as long as it likes.
pub(crate) trait Locks {
    type Lock: Send;

    /// Locks a session's row until what it returns is dropped.
    async fn lock(&self, key: &RecordKey) -> Self::Lock;
}

/// The key in hexadecimal.
pub(crate) fn hex(key: &RecordKey) -> String {
    key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

macro_rules! locks {
    ($database:ty, $connection:ty, $bytes:literal) => {
        impl Locks for $database {
            type Lock = $connection;

            async fn lock(&self, key: &RecordKey) -> $connection {
                let mut connection = self.connect().await;
                let sql = format!(concat!("SELECT 1 FROM sessions WHERE id_hash = ", $bytes, " FOR UPDATE"), hex(key));
                connection.execute("BEGIN").await.unwrap();
                connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
                connection
            }
        }
    };
}
locks!(Postgres, sqlx::PgConnection, "decode('{}', 'hex')");
locks!(MariaDb, sqlx::MySqlConnection, "x'{}'");

async fn a_row_that_somebody_else_has_locked_keeps_no_other_session_waiting<D: Database + Locks>() {
    let database = D::start().await;
    let backend = Arc::new(database.open().await);
    create(&*backend).await;
    let locked = key(30);
    let lock = database.lock(&locked).await;
    let waits = tokio::spawn({
        let backend = Arc::clone(&backend);
        async move { write(&*backend, locked, "after the lock").await }
    });
    let others = join_all(keys().filter(|key| *key != locked).map(|key| write(&*backend, key, "meanwhile")));
    let written = timeout(PATIENCE, others).await.expect("they wait for nothing");
    assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");
    assert!(!waits.is_finished(), "its row is locked");
    drop(lock);
    assert_eq!(timeout(PATIENCE, waits).await.unwrap().unwrap(), Written::Done);
}

/// How often it takes fewer statements is a matter of the machine's pace: it is tried until it does.
pub(crate) const ROUNDS: u64 = 50;

/// Fewer than one and a half for each write: some are shared.
pub(crate) const SHARED: u64 = MANY as u64 * 3 / 2;

/// Writes all sessions at once, again and again, until all of these writes together cost fewer than this. `cost` is what it
/// has been since it was asked last.
pub(crate) async fn until_shared<B: Leases>(backend: &B, most: u64, cost: impl AsyncFn() -> u64) {
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        cost().await;
        let written = join_all(keys().map(|key| write(backend, key, "x"))).await;
        assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");
        costs.push(cost().await);
        if costs.last().is_some_and(|cost| *cost < most) {
            return;
        }
    }
    panic!("{MANY} writes at once cost {costs:?}");
}

#[tokio::test]
async fn on_postgres_writes_of_many_sessions_at_once_share_statements() {
    let server = Postgres::start().await;
    let backend = server.open().await;
    create(&backend).await;
    until_shared(&backend, SHARED, async || updates(&server).await).await;
}

/// How many statements have changed rows since this was asked last.
async fn updates(server: &Postgres) -> u64 {
    let updates = server.statements().await.into_iter().filter(|(sql, _)| sql.starts_with("UPDATE"));
    updates.map(|(_, calls)| u64::try_from(calls).unwrap()).sum()
}

#[tokio::test]
async fn after_a_table_was_missing_for_a_while_statements_are_shared_again() {
    let server = Postgres::start().await;
    let backend = server.open().await;
    create(&backend).await;
    // Were each session taken by itself, that would be as many.
    let both = u64::from(MANY);
    until_shared(&backend, both, async || updates(&server).await).await;
    let mut operator = server.connect().await;
    operator.execute("ALTER TABLE sessions RENAME TO elsewhere").await.unwrap();
    let asked = keys().map(async |key| backend.acquire(&key, lease(Holder::new()), touch()).await.map(drop));
    let failed = join_all(asked).await;
    assert!(failed.iter().all(Result::is_err));
    operator.execute("ALTER TABLE elsewhere RENAME TO sessions").await.unwrap();
    until_shared(&backend, both, async || updates(&server).await).await;
}

/// The commits in a write-ahead log: the frames that say how large the file is then.
fn commits(log: &Path) -> u64 {
    const HEADER: usize = 32;
    const FRAME: usize = 24;
    let log = std::fs::read(log).unwrap();
    if log.len() < HEADER {
        return 0;
    }
    let word = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let page = usize::try_from(word(8)).unwrap();
    let frames = (HEADER..log.len()).step_by(FRAME + page).filter(|at| at + FRAME + page <= log.len());
    frames.filter(|at| word(at + 4) > 0).count().try_into().unwrap()
}

#[tokio::test]
async fn on_sqlite_writes_of_many_sessions_at_once_share_commits() {
    let file = SqliteFile::start().await;
    let backend = file.open().await;
    create(&backend).await;
    let log = PathBuf::from(file.address() + "-wal");
    until_shared(&backend, SHARED, async || {
        let commits = commits(&log);
        file.sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
        commits
    })
    .await;
}

/// A call that waits to be part of a statement and is dropped, as the runtime does after its deadline.
#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_begun() {
    let file = SqliteFile::start().await;
    let backend = file.open().await;
    create(&backend).await;
    let mut writer = file.connect().await;
    writer.execute("BEGIN IMMEDIATE").await.unwrap();
    // The first two wait for the writer, the others for them.
    let late = keys().map(|key| {
        let backend = &backend;
        async move { drop(backend.acquire(&key, lease(Holder::new()), touch()).await) }
    });
    assert!(timeout(Duration::from_millis(50), join_all(late)).await.is_err(), "the file is locked");
    writer.execute("COMMIT").await.unwrap();
    for key in keys() {
        let acquired = backend.acquire(&key, lease(Holder::new()), touch()).await.unwrap();
        let number = key.as_bytes()[0];
        assert!(matches!(acquired, Acquired::Granted(_)) || number == 0, "session {number} was taken for nobody");
    }
}
