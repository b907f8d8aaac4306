//! A SQLite file that others use keeps its journal mode.

use std::{fs, sync::Arc};

use session_runtime::{
    backend::{Backend, Sqlite},
    testing::{Pair, conformance},
};
use sqlx::{Executor, Row};

use crate::sql::{Database, KEY, SqliteFile, record, touch};

/// A file in DELETE mode, with a table of another application.
async fn others(file: SqliteFile) -> SqliteFile {
    let mut connection = file.connect().await;
    connection.execute("CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (1)").await.unwrap();
    assert_eq!(journal_mode(&file).await, "delete");
    file
}

async fn journal_mode(file: &SqliteFile) -> String {
    let mut connection = file.connect().await;
    sqlx::query("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap().get(0)
}

conformance! { sqlite_in_a_file_in_delete_mode_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => pair().await }

async fn pair() -> Pair {
    let file = others(SqliteFile::in_memory()).await;
    let [one, other] = [file.open_apart().await, file.open_apart().await].map(Arc::new);
    Pair::new(one, other).real_time().keeping(file)
}

#[tokio::test]
async fn a_file_that_others_use_keeps_its_journal_mode_and_a_new_one_is_in_wal_mode() {
    let file = others(SqliteFile::start().await).await;
    let backend = file.open().await;
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(backend.load(&KEY, touch()).await.unwrap().unwrap().version, 1);
    assert_eq!(journal_mode(&file).await, "delete");
    assert!(!fs::exists(file.address() + "-wal").unwrap());
    assert_eq!(file.number("SELECT COUNT(*) FROM orders").await, 1);

    let fresh = SqliteFile::start().await;
    fs::write(fresh.address(), "").unwrap();
    drop(Sqlite::new(fresh.address(), "sessions").await.unwrap());
    assert_eq!(journal_mode(&fresh).await, "wal", "nothing uses an empty file");
    drop(fresh.open().await);
    assert_eq!(journal_mode(&fresh).await, "wal");
}
