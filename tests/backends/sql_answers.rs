//! Writes whose answer is lost with its connection: what was done is told as done, and once.

use session_runtime::backend::{Acquired, Holder, KeepLease, Kept, MySql, Postgres, RecordKey, Written};
use session_tests::{MariaDb, Postgres as PostgresServer};

use crate::{
    proxy::Proxy,
    sql::{Database, KEY, lease, record, touch},
    sql_statements::proxied,
};

#[tokio::test]
async fn on_postgres_a_write_whose_answer_is_lost_is_told_as_what_it_was() {
    let server = PostgresServer::start().await;
    let proxy = Proxy::to(server.port()).await;
    let backend = Postgres::new(&proxied(&server.url(), &proxy), "sessions").unwrap();
    each_write(&server, &backend, &proxy).await;
}

#[tokio::test]
async fn on_mysql_a_write_whose_answer_is_lost_is_told_as_what_it_was() {
    let server = MariaDb::start().await;
    let proxy = Proxy::to(server.port()).await;
    let backend = MySql::new(&proxied(&server.url(), &proxy), "sessions").unwrap();
    each_write(&server, &backend, &proxy).await;
}

async fn each_write<D: Database, B: KeepLease>(database: &D, backend: &B, proxy: &Proxy) {
    let warm = RecordKey::from_bytes([9; 32]);
    // Each statement once on the connection, so that the next answer is the statement's own.
    let warm_up = async || {
        assert!(backend.create(&warm, record(1, "x"), touch()).await.unwrap());
        assert_eq!(backend.update(&warm, 1, record(2, "x"), touch()).await.unwrap(), Written::Done);
        let held = lease(Holder::new());
        assert!(matches!(backend.acquire(&warm, held, touch()).await.unwrap(), Acquired::Granted(_)));
        assert!(backend.extend(&warm, held).await.unwrap());
        assert_eq!(backend.save_and_keep(&warm, held, 2, record(3, "x"), touch()).await.unwrap(), Kept::Alone);
        assert_eq!(backend.save(&warm, held, 3, record(4, "x"), touch()).await.unwrap(), Written::Done);
        backend.release(&warm, held).await.unwrap();
        assert!(backend.delete(&warm).await.unwrap());
        proxy.lose_answer();
    };
    let number = async |sql: &str| database.number(sql).await;

    warm_up().await;
    assert!(backend.create(&KEY, record(1, "first"), touch()).await.unwrap(), "it was created");
    assert!(proxy.has_lost_answer());
    assert!(!backend.create(&KEY, record(1, "other"), touch()).await.unwrap());

    warm_up().await;
    assert_eq!(backend.update(&KEY, 1, record(2, "second"), touch()).await.unwrap(), Written::Done);
    assert!(proxy.has_lost_answer());
    assert_eq!(number("SELECT version FROM sessions").await, 2, "it was done once");

    warm_up().await;
    let held = lease(Holder::new());
    assert!(matches!(backend.acquire(&KEY, held, touch()).await.unwrap(), Acquired::Granted(_)), "it has the lease");
    assert!(proxy.has_lost_answer());

    warm_up().await;
    assert!(backend.extend(&KEY, held).await.unwrap());
    assert!(proxy.has_lost_answer());

    warm_up().await;
    assert_eq!(backend.save_and_keep(&KEY, held, 2, record(3, "third"), touch()).await.unwrap(), Kept::Alone);
    assert!(proxy.has_lost_answer());
    assert_eq!(number("SELECT COUNT(*) FROM sessions WHERE version = 3 AND lease_holder IS NOT NULL").await, 1);

    let waiter = backend.acquire(&KEY, lease(Holder::new()), touch()).await.unwrap();
    assert!(matches!(waiter, Acquired::Busy(_)));
    warm_up().await;
    assert_eq!(backend.save_and_keep(&KEY, held, 3, record(4, "fourth"), touch()).await.unwrap(), Kept::Contended);
    assert!(proxy.has_lost_answer());

    warm_up().await;
    assert_eq!(backend.save(&KEY, held, 4, record(5, "fifth"), touch()).await.unwrap(), Written::Done);
    assert!(proxy.has_lost_answer());
    assert_eq!(number("SELECT COUNT(*) FROM sessions WHERE version = 5 AND lease_holder IS NULL").await, 1);

    // What somebody else has written meanwhile is a conflict all the same.
    warm_up().await;
    let refused = backend.update(&KEY, 4, record(5, "late"), touch()).await.unwrap();
    assert_eq!(refused, Written::Conflict);
    assert!(proxy.has_lost_answer());

    // What has been written since may have come after ours: it is not said that nothing was stored, nor that it was.
    warm_up().await;
    let unknown = backend.update(&KEY, 1, record(2, "later"), touch()).await.unwrap_err();
    assert!(unknown.to_string().contains("whether the session was stored is not known"), "{unknown}");
    assert!(proxy.has_lost_answer());

    warm_up().await;
    let held = lease(Holder::new());
    assert!(matches!(backend.acquire(&KEY, held, touch()).await.unwrap(), Acquired::Granted(_)));
    warm_up().await;
    let unknown = backend.save(&KEY, held, 1, record(2, "later"), touch()).await.unwrap_err();
    assert!(unknown.to_string().contains("whether the session was stored is not known"), "{unknown}");
    assert!(proxy.has_lost_answer());
    warm_up().await;
    let unknown = backend.save_and_keep(&KEY, held, 1, record(2, "later"), touch()).await.unwrap_err();
    assert!(unknown.to_string().contains("whether the session was stored is not known"), "{unknown}");
    assert!(proxy.has_lost_answer());

    warm_up().await;
    assert!(backend.delete(&KEY).await.unwrap(), "it was there");
    assert!(proxy.has_lost_answer());
    assert!(!backend.delete(&KEY).await.unwrap());
}
