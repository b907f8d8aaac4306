//! What the SQL servers are asked: the statements of each kind of use, and the round trips.

use std::time::Duration;

use session_runtime::backend::{Acquired, Backend, Holder, KeepLease, Kept, Leases, MySql, Postgres, Touch, Written};
use session_tests::{MariaDb, Postgres as PostgresServer};

use crate::{
    proxy::Proxy,
    sql::{Database, KEY, lease, record, touch},
};

const READ: &str = "SELECT version, last_seen, expires, body";

/// Three borrows that follow one whose lease goes from one to the next: `cost` before them and behind.
async fn append_and_keep<B: KeepLease, C>(backend: &B, cost: impl AsyncFn() -> C) -> [C; 2] {
    let lease = lease(Holder::new());
    let Acquired::Granted(before) = backend.acquire(&KEY, lease, touch()).await.unwrap() else { panic!("it is free") };
    let keep = async |version: u64| {
        let saved = record(version + 1, "kept");
        assert_eq!(backend.save_and_keep(&KEY, lease, version, saved, touch()).await.unwrap(), Kept::Alone);
    };
    // The first is prepared as well.
    keep(before.version).await;
    let begun = cost().await;
    for version in before.version + 1..before.version + 4 {
        keep(version).await;
    }
    [begun, cost().await]
}

/// Each use once, so that every statement is prepared on the one connection that will be used.
async fn warm_up<B: Leases>(backend: &B) {
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(append(backend).await, Written::Done);
    let record = backend.load(&KEY, later()).await.unwrap().unwrap();
    let next = self::record(record.version + 1, "y");
    assert_eq!(backend.update(&KEY, record.version, next, touch()).await.unwrap(), Written::Done);
}

/// When the use has to be noted.
fn later() -> Touch {
    let now = touch();
    Touch { now: now.now.plus(Duration::from_secs(61)), ..now }
}

async fn append<B: Leases>(backend: &B) -> Written {
    let lease = lease(Holder::new());
    let Acquired::Granted(before) = backend.acquire(&KEY, lease, touch()).await.unwrap() else { panic!("it is free") };
    backend.save(&KEY, lease, before.version, record(before.version + 1, "z"), touch()).await.unwrap()
}

/// What has run since the last time: `read` for a record's, the first word for another statement.
async fn asked(server: &PostgresServer) -> Vec<(String, i64)> {
    let name = |sql: &str| if sql.starts_with(READ) { "read" } else { &sql[..6] }.to_owned();
    server.statements().await.iter().map(|(sql, calls)| (name(sql), *calls)).collect()
}

fn calls(of: &[(&str, i64)]) -> Vec<(String, i64)> {
    of.iter().map(|(name, calls)| ((*name).to_owned(), *calls)).collect()
}

#[tokio::test]
async fn on_postgres_a_read_is_one_query_and_an_exclusive_borrow_two() {
    let server = PostgresServer::start().await;
    let proxy = Proxy::to(server.port()).await;
    let backend = Postgres::new(&proxied(&server.url(), &proxy), "sessions").unwrap();
    warm_up(&backend).await;

    server.statements().await;
    let trips = proxy.trips();
    for _ in 0..10 {
        assert!(backend.load(&KEY, touch()).await.unwrap().is_some());
    }
    assert_eq!((asked(&server).await, proxy.trips() - trips), (calls(&[("read", 10)]), 10));

    let trips = proxy.trips();
    assert_eq!(append(&backend).await, Written::Done);
    assert_eq!((asked(&server).await, proxy.trips() - trips), (calls(&[("UPDATE", 1), ("UPDATE", 1)]), 2));

    let trips = proxy.trips();
    for _ in 0..10 {
        assert!(backend.load(&KEY, later()).await.unwrap().is_some());
    }
    let cost = (asked(&server).await, proxy.trips() - trips);
    assert_eq!(cost, (calls(&[("read", 10), ("UPDATE", 1)]), 11), "the use is noted once in a while");

    let cost = async || (asked(&server).await, proxy.trips());
    let [(_, begun), (asked, ended)] = append_and_keep(&backend, cost).await;
    assert_eq!((asked, ended - begun), (calls(&[("UPDATE", 3)]), 3), "one for each while the lease is kept");
}

#[tokio::test]
async fn on_mysql_a_read_is_one_query_and_an_exclusive_borrow_three() {
    let server = MariaDb::start().await;
    let proxy = Proxy::to(server.port()).await;
    let backend = MySql::new(&proxied(&server.url(), &proxy), "sessions").unwrap();
    warm_up(&backend).await;
    let since = |before: [u64; 4], now: [u64; 4]| [0, 1, 2, 3].map(|kind| now[kind] - before[kind]);

    let (before, trips) = (server.statements().await, proxy.trips());
    for _ in 0..10 {
        assert!(backend.load(&KEY, touch()).await.unwrap().is_some());
    }
    assert_eq!((since(before, server.statements().await), proxy.trips() - trips), ([10, 0, 0, 0], 10));

    let (before, trips) = (server.statements().await, proxy.trips());
    assert_eq!(append(&backend).await, Written::Done);
    assert_eq!((since(before, server.statements().await), proxy.trips() - trips), ([1, 0, 2, 0], 3));

    let (before, trips) = (server.statements().await, proxy.trips());
    for _ in 0..10 {
        assert!(backend.load(&KEY, later()).await.unwrap().is_some());
    }
    assert_eq!((since(before, server.statements().await), proxy.trips() - trips), ([10, 0, 1, 0], 11));

    let cost = async || (server.statements().await, proxy.trips());
    let [(before, begun), (behind, ended)] = append_and_keep(&backend, cost).await;
    assert_eq!((since(before, behind), ended - begun), ([0, 0, 3, 0], 3), "one for each while the lease is kept");
}

/// The URL with the proxy's port in it.
pub(crate) fn proxied(url: &str, proxy: &Proxy) -> String {
    let to = proxy.url();
    let port = |url: &str| url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    url.replace(&port(url), &port(&to))
}

#[tokio::test]
async fn an_idle_sessions_table_is_not_asked_for_anything() {
    let server = PostgresServer::start().await;
    let backend = server.open().await;
    server.statements().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.statements().await, []);
    drop(backend);
}
