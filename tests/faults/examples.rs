//! The examples that keep their sessions on disk, as processes that end and begin again.

use axum::http::{Method, StatusCode};
use session_tests::{App, Client, app::Program, wait};
use tempfile::TempDir;

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";

/// Makes a test of each scenario for each of the examples.
macro_rules! on_each_example {
    ($($scenario:ident)+) => {$(
        mod $scenario {
            #[tokio::test]
            async fn in_files() {
                super::$scenario(super::example("files", "SESSION_DIR")).await;
            }

            #[tokio::test]
            async fn in_sqlite() {
                super::$scenario(super::example("sqlite", "SESSION_DB")).await;
            }
        }
    )+};
}

on_each_example! {
    sessions_survive_a_restart
    sessions_survive_a_kill_in_the_midst_of_writing_and_no_answered_change_is_lost
}

/// An example with its sessions in a folder of the test's own.
fn example(name: &str, variable: &str) -> (Program, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let program = App::example(name).env("SESSION_KEYS", KEY).env(variable, folder.path().join("sessions"));
    (program, folder)
}

async fn logged_in(app: &App, name: &str) -> Client {
    let client = app.client();
    let reply = client.post_form("/login", &[("name", name)]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    client
}

async fn visits(client: &Client) -> u64 {
    let me = client.get("/me").await;
    assert_eq!(me.status, StatusCode::OK, "{}", me.text());
    me.json::<serde_json::Value>()["visits"].as_u64().expect("a number")
}

async fn sessions_survive_a_restart((program, _folder): (Program, TempDir)) {
    let mut app = program.start().await;
    let (ann, bob) = (logged_in(&app, "ann").await, logged_in(&app, "bob").await);
    assert_eq!(ann.post("/visit").await.text(), "1");
    assert_eq!(bob.post("/logout").await.status, StatusCode::SEE_OTHER);
    let before = app.id();
    app.restart().await;
    assert_ne!(app.id(), before);
    assert_eq!(visits(&ann).await, 1);
    assert_eq!(ann.post("/visit").await.text(), "2");
    assert_eq!(bob.get("/me").await.status, StatusCode::UNAUTHORIZED, "who has logged out stays so");
    assert!(!app.log().contains("ERROR"), "{}", app.log());
}

async fn sessions_survive_a_kill_in_the_midst_of_writing_and_no_answered_change_is_lost(
    (program, _folder): (Program, TempDir),
) {
    let mut app = program.start().await;
    let ann = logged_in(&app, "ann").await;
    let mut stored = 0;
    for round in 1..=5 {
        let writers: Vec<_> = (0..4).map(|_| tokio::spawn(write_until_the_end(ann.clone()))).collect();
        // Another moment in each round: it is killed while requests are under way.
        wait::progress(wait::START, "the writers write", stored + round * 3, async || visits(&ann).await).await;
        app.kill();
        let mut answered = stored;
        for writer in writers {
            answered = answered.max(writer.await.unwrap());
        }
        app.restart().await;
        stored = visits(&ann).await;
        assert!(stored >= answered, "{answered} was answered, and {stored} is stored");
        assert!(stored <= answered + 4, "no more than four requests were under way: {stored} after {answered}");
    }
    let next = async || ann.post("/visit").await.status == StatusCode::OK;
    wait::until(wait::ANSWER, "the lease of who was killed has run out", next).await;
    assert_eq!(visits(&ann).await, stored + 1);
}

/// Presses the button until nobody answers, and gives the highest count that was answered.
async fn write_until_the_end(client: Client) -> u64 {
    let mut highest = 0;
    while let Ok(reply) = client.try_send(Method::POST, "/visit", |request| request).await {
        match reply.status {
            StatusCode::OK => highest = highest.max(reply.text().parse().expect("a count")),
            // What the last process held is free when its lease has run out.
            StatusCode::CONFLICT => {}
            status => panic!("{status}: {}", reply.text()),
        }
    }
    highest
}

#[tokio::test]
async fn a_second_logout_is_answered_like_the_first_in_each_example() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (program, login) in [
        (App::example("quickstart"), "/login"),
        (App::example("files").env("SESSION_KEYS", KEY).env("SESSION_DIR", at("files")), "/login"),
        (App::example("chat"), "/login"),
        (App::example("account").env("ACCOUNTS", at("accounts.json")), "/register"),
    ] {
        let app = program.start().await;
        let client = app.client();
        let reply = client.post_form(login, &[("name", "Ada"), ("password", "correct horse")]).await;
        assert_eq!((reply.status, reply.set_cookies().len()), (StatusCode::SEE_OTHER, 1), "{}", reply.text());
        for cookies in [1, 0] {
            let reply = client.post("/logout").await;
            assert_eq!(
                (reply.status, reply.header("location")),
                (StatusCode::SEE_OTHER, Some("/")),
                "{}",
                reply.text()
            );
            assert_eq!(reply.set_cookies().len(), cookies);
        }
    }
}
