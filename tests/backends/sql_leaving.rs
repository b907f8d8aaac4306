//! Callers who leave while the database takes a lease for them: it takes none for nobody.

use std::{sync::Arc, time::Duration};

use session_runtime::backend::{Acquired, Holder, Leases, RecordKey};
use session_tests::{MariaDb, Postgres, wait};

use crate::{
    sql::{Database, lease, touch},
    sql_batches::{Locks, ROUNDS, create, key},
    sql_batches_left::{Gated, waits},
};

/// Asks for the lease until it is granted.
async fn free<B: Leases>(backend: &B, key: RecordKey) {
    let next = lease(Holder::new());
    let granted = async || matches!(backend.acquire(&key, next, touch()).await.unwrap(), Acquired::Granted(_));
    wait::until(wait::ANSWER, "the lease of the one who has left is free", granted).await;
}

/// A call that takes a lease and is dropped while the database keeps it waiting.
async fn leave<B: Leases + 'static>(backend: &Arc<B>, is_waiting: impl AsyncFnMut() -> bool) {
    let held = lease(Holder::new());
    let asked = tokio::spawn({
        let backend = Arc::clone(backend);
        async move { backend.acquire(&key(1), held, touch()).await }
    });
    wait::until(wait::ANSWER, "the statement waits", is_waiting).await;
    asked.abort();
    assert!(asked.await.is_err_and(|error| error.is_cancelled()));
}

#[tokio::test]
async fn on_postgres_no_lease_is_taken_for_somebody_who_has_left() {
    let server = Postgres::start().await;
    let backend = Arc::new(server.open().await);
    create(&*backend).await;
    let lock = server.lock(&key(1)).await;
    let mut operator = server.connect().await;
    leave(&backend, async || waits(&mut operator, "UPDATE").await == 1).await;
    drop(lock);
    free(&*backend, key(1)).await;
}

#[tokio::test]
async fn on_mysql_no_lease_is_taken_for_somebody_who_has_left() {
    const RUNNING: &str = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE%'";
    let server = MariaDb::start().await;
    let backend = Arc::new(server.open().await);
    create(&*backend).await;
    let lock = server.lock(&key(1)).await;
    leave(&backend, async || server.number(RUNNING).await == 1).await;
    drop(lock);
    free(&*backend, key(1)).await;
}

#[tokio::test]
async fn what_a_shared_statement_takes_that_all_have_left_is_given_up() {
    let server = Postgres::start().await;
    let backend = Arc::new(server.open().await);
    create(&*backend).await;
    let mut gate = server.gate(10).await;
    let acquire = |number: u8| {
        let (backend, lease) = (Arc::clone(&backend), lease(Holder::new()));
        let asked = tokio::spawn(async move { backend.acquire(&key(number), lease, touch()).await });
        (lease, asked)
    };
    // On a slow machine a call may not wait for others as long as this takes: it is tried until it does.
    for round in 0..ROUNDS {
        Postgres::close_gate(&mut gate).await;
        let locks = [server.lock(&key(0)).await, server.lock(&key(1)).await];
        let before = [acquire(0), acquire(1)];
        while waits(&mut gate, "UPDATE").await < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ((leaves, leaving), (stays, staying)) = (acquire(10), acquire(11));
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(locks);
        while waits(&mut gate, "UPDATE").await < 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let is_shared = Postgres::is_shared(&mut gate).await;
        leaving.abort();
        assert!(leaving.await.is_err_and(|error| error.is_cancelled()));
        backend.release(&key(10), leaves).await.unwrap();
        staying.abort();
        assert!(staying.await.is_err() || !is_shared, "its statement waits");
        backend.release(&key(11), stays).await.unwrap();
        // Until the statement's task has heard of it.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Postgres::open_gate(&mut gate).await;
        for (number, (lease, asked)) in [0, 1].into_iter().zip(before) {
            assert!(matches!(asked.await.unwrap().unwrap(), Acquired::Granted(_)));
            backend.release(&key(number), lease).await.unwrap();
        }
        if !is_shared {
            while waits(&mut gate, "UPDATE").await > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            backend.release(&key(10), leaves).await.unwrap();
            assert!(round + 1 < ROUNDS, "no two calls shared a statement");
            continue;
        }
        for number in [10, 11] {
            free(&*backend, key(number)).await;
        }
        return;
    }
}
