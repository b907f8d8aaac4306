//! Requests that are given up while the statement runs that takes their leases and others'.

use std::{sync::Arc, time::Duration};

use session_runtime::backend::{Acquired, Holder, Leases};
use session_tests::{MariaDb, Postgres};
use sqlx::Executor;
use tokio::time::timeout;

use crate::{
    sql::{Database, lease, on_each, touch},
    sql_batches::{Locks, ROUNDS, create, hex, key},
};

on_each! {
    postgres: session_tests::Postgres, mysql: session_tests::MariaDb => [
        a_lease_that_a_shared_statement_takes_for_somebody_who_has_left_is_given_up
    ]
}

/// A server in which who takes the lease of one session can be kept waiting in the middle of the statement.
pub(crate) trait Gated: Database + Locks {
    /// A connection that holds the gate.
    type Gate: Send;

    async fn gate(&self, number: u8) -> Self::Gate;
    async fn close_gate(gate: &mut Self::Gate);
    async fn open_gate(gate: &mut Self::Gate);
    /// How many statements wait for rows that are locked, or run so far.
    async fn updates(gate: &mut Self::Gate) -> i64;
    /// How many wait at the gate.
    async fn waiting(gate: &mut Self::Gate) -> i64;
    /// Whether what waits at the gate is a statement for many, since this was asked last.
    async fn is_shared(gate: &mut Self::Gate) -> bool;
}

/// How many backends of the server wait for a lock in a statement that has this in its text.
pub(crate) async fn waits(connection: &mut sqlx::PgConnection, text: &'static str) -> i64 {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0";
    sqlx::query_scalar(sql).bind(text).fetch_one(connection).await.unwrap()
}

impl Gated for Postgres {
    type Gate = sqlx::PgConnection;

    async fn gate(&self, number: u8) -> Self::Gate {
        let mut gate = self.connect().await;
        let trigger = format!(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$; \
             CREATE TRIGGER wait BEFORE UPDATE ON sessions FOR EACH ROW \
             WHEN (OLD.id_hash = decode('{}', 'hex') AND OLD.lease_holder IS NULL) EXECUTE FUNCTION wait()",
            hex(&key(number))
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(trigger)).execute(&mut gate).await.unwrap();
        gate
    }

    async fn close_gate(gate: &mut Self::Gate) {
        gate.execute("SELECT pg_advisory_lock(42)").await.unwrap();
    }

    async fn open_gate(gate: &mut Self::Gate) {
        gate.execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    }

    async fn updates(gate: &mut Self::Gate) -> i64 {
        waits(gate, "UPDATE").await
    }

    async fn waiting(gate: &mut Self::Gate) -> i64 {
        waits(gate, "UPDATE").await
    }

    async fn is_shared(gate: &mut Self::Gate) -> bool {
        waits(gate, "SKIP LOCKED").await == 1
    }
}

/// A connection to MariaDB, and how many statements for many had run when it was asked last.
pub(crate) struct MariaDbGate(sqlx::MySqlConnection, i64);

impl MariaDbGate {
    async fn processes(&mut self, only: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND {only}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut self.0).await.unwrap()
    }
}

impl Gated for MariaDb {
    type Gate = MariaDbGate;

    async fn gate(&self, number: u8) -> Self::Gate {
        let mut gate = self.connect().await;
        let trigger = format!(
            "CREATE TRIGGER gate BEFORE UPDATE ON sessions FOR EACH ROW \
             IF OLD.id_hash = x'{}' AND OLD.lease_holder IS NULL THEN \
             DO GET_LOCK('gate', 60); DO RELEASE_LOCK('gate'); END IF",
            hex(&key(number))
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(trigger)).execute(&mut gate).await.unwrap();
        MariaDbGate(gate, 0)
    }

    async fn close_gate(gate: &mut Self::Gate) {
        gate.0.execute("DO GET_LOCK('gate', 60)").await.unwrap();
    }

    async fn open_gate(gate: &mut Self::Gate) {
        gate.0.execute("DO RELEASE_LOCK('gate')").await.unwrap();
    }

    async fn updates(gate: &mut Self::Gate) -> i64 {
        gate.processes("(info LIKE 'UPDATE%' OR state = 'User lock')").await
    }

    async fn waiting(gate: &mut Self::Gate) -> i64 {
        gate.processes("state = 'User lock'").await
    }

    async fn is_shared(gate: &mut Self::Gate) -> bool {
        let sql = "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status \
                   WHERE variable_name = 'Com_update_multi'";
        let before = std::mem::replace(&mut gate.1, sqlx::query_scalar(sql).fetch_one(&mut gate.0).await.unwrap());
        gate.1 > before
    }
}

async fn a_lease_that_a_shared_statement_takes_for_somebody_who_has_left_is_given_up<D: Gated>()
where
    D::Backend: 'static,
{
    let server = D::start().await;
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
        D::close_gate(&mut gate).await;
        D::is_shared(&mut gate).await;
        let locks = [server.lock(&key(0)).await, server.lock(&key(1)).await];
        let before = [acquire(0), acquire(1)];
        while D::updates(&mut gate).await < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ((leaves, leaving), (stays, staying)) = (acquire(10), acquire(11));
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(locks);
        while D::waiting(&mut gate).await < 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let is_shared = D::is_shared(&mut gate).await;
        leaving.abort();
        assert!(leaving.await.is_err_and(|error| error.is_cancelled()));
        D::open_gate(&mut gate).await;
        assert!(matches!(staying.await.unwrap().unwrap(), Acquired::Granted(_)));
        for (number, (lease, asked)) in [0, 1].into_iter().zip(before) {
            assert!(matches!(asked.await.unwrap().unwrap(), Acquired::Granted(_)));
            backend.release(&key(number), lease).await.unwrap();
        }
        backend.release(&key(11), stays).await.unwrap();
        if !is_shared {
            while D::updates(&mut gate).await > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            backend.release(&key(10), leaves).await.unwrap();
            assert!(round + 1 < ROUNDS, "no two calls shared a statement");
            continue;
        }
        let next = lease(Holder::new());
        let granted = async {
            while !matches!(backend.acquire(&key(10), next, touch()).await.unwrap(), Acquired::Granted(_)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(20), granted).await.expect("the lease of the one who has left is free");
        return;
    }
}
