//! Statements for many sessions where an UPDATE returns nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use session_runtime::backend::{Backend, Written};
use session_tests::MariaDb;
use sqlx::Executor;
use tokio::time::timeout;

use crate::{
    sql::Database,
    sql_batches::{MANY, PATIENCE, ROUNDS, SHARED, create, key, keys, until_shared, write},
};

/// A count of the server's since it started.
async fn count(server: &MariaDb, name: &str) -> u64 {
    let sql = format!(
        "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status WHERE variable_name = '{name}'"
    );
    u64::try_from(server.number(&sql).await).unwrap()
}

/// Each UPDATE is committed by itself.
async fn updates(server: &MariaDb) -> u64 {
    count(server, "Com_update").await + count(server, "Com_update_multi").await
}

#[tokio::test]
async fn writes_of_many_sessions_at_once_share_commits() {
    let server = MariaDb::start().await;
    let backend = server.open().await;
    create(&backend).await;
    let before = std::cell::Cell::new(0);
    until_shared(&backend, SHARED, async || {
        let now = updates(&server).await;
        now - before.replace(now)
    })
    .await;
}

/// An index that the statements name is not there: the server refuses those for many, and knows the others.
#[tokio::test]
async fn a_server_that_does_not_understand_a_shared_statement_is_asked_for_none() {
    let server = MariaDb::start().await;
    let backend = server.open().await;
    create(&backend).await;
    server.sql("ALTER TABLE sessions DROP PRIMARY KEY, ADD UNIQUE KEY id (id_hash)").await;
    let mut asked = Vec::new();
    for _ in 0..5 {
        let written = join_all(keys().map(|key| write(&backend, key, "x"))).await;
        assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");
        asked.push(count(&server, "Com_update_multi").await);
    }
    // Two kinds of statement, two of each at the same time.
    assert!(asked.last().unwrap() - asked.first().unwrap() <= 4, "{asked:?}");
    assert_eq!(server.number("SELECT COUNT(*) FROM sessions WHERE version = 6").await, i64::from(MANY));
}

/// As an administrator does, or a proxy that is restarted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_killed_within_shared_statements_lose_no_write() {
    let server = MariaDb::start().await;
    let backend = server.open().await;
    create(&backend).await;
    let (mut rounds, mut killed) = (0, 0);
    while killed < 10 && rounds < ROUNDS {
        let is_over = AtomicBool::new(false);
        let written = async {
            let written = join_all(keys().map(|key| write(&backend, key, "x"))).await;
            is_over.store(true, Ordering::Relaxed);
            written
        };
        let kills = async {
            let mut operator = server.connect().await;
            let mut kills = 0;
            while !is_over.load(Ordering::Relaxed) {
                let sql = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
                           WHERE info LIKE 'UPDATE%SKIP LOCKED%' AND id <> CONNECTION_ID()";
                for id in sqlx::query_scalar::<_, i64>(sql).fetch_all(&mut operator).await.unwrap() {
                    // It may be gone.
                    kills += u32::from(operator.execute(sqlx::AssertSqlSafe(format!("KILL {id}"))).await.is_ok());
                }
            }
            kills
        };
        let (written, kills) = timeout(PATIENCE, async { tokio::join!(written, kills) }).await.expect("it goes on");
        assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");
        (rounds, killed) = (rounds + 1, killed + kills);
    }
    assert!(killed > 0, "no statement was there to kill");
    for number in 0..MANY {
        let stored = backend.peek(&key(number)).await.unwrap().unwrap();
        assert_eq!(stored.version, rounds + 1, "session {number}");
    }
}
