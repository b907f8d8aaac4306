//! What is refused, and what is not shown, when a database is opened.

use std::fs;

use session_runtime::backend::{
    Backend, MySql, MySqlConfig, OpenBackend, Postgres, PostgresConfig, Sqlite, SqliteConfig,
};
use session_tests::{MariaDb, Postgres as PostgresServer};

use crate::sql::{Database, KEY, PASSWORD, SCOPE, SqliteFile, record, touch, url};

#[test]
fn a_configuration_and_a_backend_show_no_url() {
    let url = "postgres://tester:open-sesame@127.0.0.1:1/x";
    let mut config = PostgresConfig::default();
    config.url = self::url(url);
    let mut other = MySqlConfig::default();
    other.url = self::url(&url.replace("postgres", "mysql"));
    let postgres = Postgres::new(url, "sessions").unwrap();
    let mysql = MySql::new(&url.replace("postgres", "mysql"), "sessions").unwrap();
    for text in [format!("{config:?}"), format!("{other:?}"), format!("{postgres:?}"), format!("{mysql:?}")] {
        assert!(!text.contains("sesame") && !text.contains("127.0.0.1"), "{text}");
    }
    for bad in
        ["redis://:open-sesame@h/", "open-sesame", "postgres://x:open-sesame@[/", "mysql://x:open-sesame@h:port/"]
    {
        for error in [Postgres::new(bad, "sessions").map(drop), MySql::new(bad, "sessions").map(drop)] {
            let error = error.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("sesame"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_missing_argument_is_refused_with_what_to_write() {
    let open = [
        Sqlite::open(SqliteConfig::default(), &SCOPE).await.map(drop).unwrap_err(),
        Postgres::open(PostgresConfig::default(), &SCOPE).await.map(drop).unwrap_err(),
        MySql::open(MySqlConfig::default(), &SCOPE).await.map(drop).unwrap_err(),
    ];
    for (error, hint) in open.iter().zip(["path = \"sessions.db\"", "postgres://", "mysql://"]) {
        assert!(error.to_string().contains(hint), "{error}");
    }
}

/// What waiting won't mend is said when the application starts.
#[tokio::test]
async fn a_user_or_a_database_that_is_not_there_is_refused_when_opening() {
    let (postgres, mysql) = (PostgresServer::start().await, MariaDb::start().await);
    for (from, to) in [("tester", "nobody"), ("/postgres", "/elsewhere")] {
        let mut config = PostgresConfig::default();
        config.url = url(&postgres.url().replace(from, to));
        let error = Postgres::open(config, &SCOPE).await.map(drop).unwrap_err();
        assert!(error.to_string().contains("was refused by the database"), "{error}");
        assert!(!error.to_string().contains(PASSWORD), "{error}");
    }
    for (from, to) in [("open-sesame", "wrong"), ("tester", "nobody"), ("/app", "/elsewhere")] {
        let mut config = MySqlConfig::default();
        config.url = url(&mysql.url().replace(from, to));
        let error = MySql::open(config, &SCOPE).await.map(drop).unwrap_err();
        assert!(error.to_string().contains("was refused by the database"), "{error}");
    }
    let (mut demanding, mut also) = (PostgresConfig::default(), MySqlConfig::default());
    demanding.url = url(&(postgres.url() + "?sslmode=verify-full"));
    also.url = url(&(mysql.url() + "?ssl-mode=VERIFY_IDENTITY"));
    let errors = [Postgres::open(demanding, &SCOPE).await.map(drop), MySql::open(also, &SCOPE).await.map(drop)];
    for error in errors {
        let error = error.expect_err("a database without TLS is not talked to if the URL demands it");
        assert!(error.to_string().contains("`sql-tls`"), "{error}");
    }
    let mut config = PostgresConfig::default();
    (config.url, config.table) = (url(&postgres.url()), Some("nowhere.sessions".into()));
    assert!(Postgres::open(config, &SCOPE).await.is_err(), "there is no such schema");
    postgres.sql("CREATE SCHEMA web").await;
    let backend = postgres.open_table("web.sessions").await.unwrap();
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(postgres.number("SELECT COUNT(*) FROM web.sessions").await, 1);
}

#[tokio::test]
async fn a_sqlite_file_is_its_owners_alone_in_wal_mode_and_its_folder_must_be_there() {
    use std::os::unix::fs::PermissionsExt;

    let folder = SqliteFile::start().await;
    let sqlite = folder.open().await;
    assert!(sqlite.create(&KEY, record(1, "x"), touch()).await.unwrap());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.0.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["sessions.db", "sessions.db-shm", "sessions.db-wal"]);

    for path in [folder.0.path().join("missing/sessions.db"), folder.0.path().to_owned()] {
        assert!(Sqlite::new(path, "sessions").await.is_err());
    }
    let text = folder.0.path().join("text");
    fs::write(&text, "no database, but long enough to have the header of one, if only it were one".repeat(20)).unwrap();
    let error = Sqlite::new(&text, "sessions").await.map(drop).unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    let odd = folder.0.path().join(":memory:?mode=memory%20#x");
    drop(Sqlite::new(&odd, "sessions").await.unwrap());
    assert!(odd.exists(), "a path is a path, whatever SQLite reads into it");
}
