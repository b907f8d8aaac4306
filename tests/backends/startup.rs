//! What is wrong with a store's settings is told when the application starts, with the variable and the remedy.

use std::{
    env,
    error::Error,
    fs,
    process::{Output, Stdio},
};

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;
use session_tests::{MariaDb, Postgres, app::describe, wait};
use tokio::process::Command;

/// Says to a test process that it is the application, and where its sessions are.
const APPLICATION: &str = "BACKENDS_TESTS_APPLICATION";
const STORES: [&str; 4] = ["file", "sqlite", "postgres", "mysql"];
const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = file(dir = env("BACKENDS_TESTS_WHERE")), key = env("BACKENDS_TESTS_KEY"))]
struct InFiles;

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = sqlite(path = env("BACKENDS_TESTS_WHERE"), table = env("BACKENDS_TESTS_TABLE", default = "sessions")),
    key = env("BACKENDS_TESTS_KEY"),
)]
struct InSqlite;

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = postgres(url = env("BACKENDS_TESTS_WHERE"), table = env("BACKENDS_TESTS_TABLE", default = "sessions")),
    key = env("BACKENDS_TESTS_KEY"),
)]
struct InPostgres;

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = mysql(url = env("BACKENDS_TESTS_WHERE"), table = env("BACKENDS_TESTS_TABLE", default = "sessions")),
    key = env("BACKENDS_TESTS_KEY"),
)]
struct InMySql;

/// The application is this very test in a process of its own, since a process's environment is for all of its threads:
/// as from a `main`, the error that it returns is printed to standard error.
#[tokio::test]
async fn an_application_with_all_its_settings_opens_its_store() -> Result<(), Box<dyn Error>> {
    if let Ok(store) = env::var(APPLICATION) {
        match store.as_str() {
            "file" => drop(InFiles::sessions().await?),
            "sqlite" => drop(InSqlite::sessions().await?),
            "postgres" => drop(InPostgres::sessions().await?),
            "mysql" => drop(InMySql::sessions().await?),
            _ => panic!("there is no store {store}"),
        }
        return Ok(());
    }
    let (folder, postgres, mysql) = (tempfile::tempdir()?, Postgres::start().await, MariaDb::start().await);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let places = [path("sessions"), path("sessions.db"), postgres.url(), mysql.url()];
    for (store, place) in STORES.iter().zip(places) {
        let output = start(store, &[("BACKENDS_TESTS_WHERE", &place)]).await;
        assert!(output.status.success(), "{}", describe(&output));
    }
    Ok(())
}

async fn start(store: &str, settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().expect("the test's own path"));
    command.args(["startup::an_application_with_all_its_settings_opens_its_store", "--exact", "--nocapture"]);
    command.env(APPLICATION, store).env("BACKENDS_TESTS_KEY", KEY).envs(settings.iter().copied());
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    wait::within(wait::START, "the application ends", output).await.expect("it can be run")
}

/// What an application says that refuses to start.
async fn refusal(store: &str, settings: &[(&str, &str)]) -> String {
    let output = start(store, settings).await;
    assert!(!output.status.success(), "{store}, {settings:?}: {}", describe(&output));
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

#[tokio::test]
async fn a_place_that_is_unset_is_named_with_an_example() {
    let examples = ["/var/lib/app/sessions", "/var/lib/app/sessions", "postgres://", "mysql://"];
    for (store, example) in STORES.iter().zip(examples) {
        for unset in [&[][..], &[("BACKENDS_TESTS_WHERE", "")]] {
            let text = refusal(store, unset).await;
            assert_says(&text, &["the environment variable BACKENDS_TESTS_WHERE", "is not set", example]);
        }
    }
}

#[tokio::test]
async fn a_malformed_url_is_named_with_an_example_and_never_repeated() {
    for (store, example) in [("postgres", "postgres://"), ("mysql", "mysql://")] {
        for url in
            ["hunter2", "http://hunter2@host", "redis://:hunter2@host", &format!("{example}u:hunter2@host:port/x")]
        {
            let text = refusal(store, &[("BACKENDS_TESTS_WHERE", url)]).await;
            assert!(!text.contains("hunter2"), "{text}");
            assert_says(&text, &["BACKENDS_TESTS_WHERE", &format!("backend = {store}(url)"), "write it as", example]);
        }
    }
}

#[tokio::test]
async fn a_database_that_refuses_its_user_is_told_with_the_variable_and_without_the_password() {
    let (postgres, mysql) = (Postgres::start().await, MariaDb::start().await);
    for (store, url) in [("postgres", postgres.url()), ("mysql", mysql.url())] {
        let text = refusal(store, &[("BACKENDS_TESTS_WHERE", &url.replace("tester", "nobody"))]).await;
        assert_says(&text, &["BACKENDS_TESTS_WHERE", "was refused by the database", "check the URL"]);
        assert!(!text.contains("open-sesame"), "{text}");
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_used_is_named_with_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("text"), "no database, but long enough to have the header of one".repeat(20)).unwrap();
    for (place, words) in [
        (path("missing/sessions.db"), &["can't be opened", "its folder has to be there"][..]),
        (path(""), &["can't be opened"]),
        (path("text"), &["can't be used", "not a database"]),
        ("sqlite://sessions.db".to_owned(), &["is a URL; write the path of a file"]),
        (":memory:".to_owned(), &["write `backend = memory`"]),
    ] {
        let text = refusal("sqlite", &[("BACKENDS_TESTS_WHERE", &place)]).await;
        assert_says(&text, &["the environment variable BACKENDS_TESTS_WHERE (option `backend = sqlite(path)`)"]);
        assert_says(&text, words);
    }
    let text = refusal("file", &[("BACKENDS_TESTS_WHERE", &path("text/sessions"))]).await;
    assert_says(&text, &["the environment variable BACKENDS_TESTS_WHERE (option `backend = file(dir)`)"]);
    assert_says(&text, &["names the folder", "can't be made or written", "Not a directory"]);
}

#[tokio::test]
async fn a_name_that_is_no_tables_is_named_with_what_a_name_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let places = [path.to_str().unwrap(), "postgres://127.0.0.1:1/x", "mysql://127.0.0.1:1/x"];
    for (store, place) in STORES[1..].iter().zip(places) {
        let text = refusal(store, &[("BACKENDS_TESTS_WHERE", place), ("BACKENDS_TESTS_TABLE", "my-sessions")]).await;
        let option = format!("the environment variable BACKENDS_TESTS_TABLE (option `backend = {store}(table)`)");
        assert_says(&text, &[&option, "\"my-sessions\"", "letters, digits and underscores"]);
    }
}
