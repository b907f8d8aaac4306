//! The example `users`: users in SQLite and permissions that it is asked for, as a process.

use axum::http::StatusCode;
use session_tests::{App, Client, Reply};
use sqlx::SqlitePool;
use tempfile::TempDir;

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";

async fn site() -> (App, SqlitePool, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.sqlite");
    let app = App::example("users").env("SESSION_KEYS", KEY).env("USERS_DB", &file).start().await;
    let database = SqlitePool::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    (app, database, folder)
}

async fn log_in(client: &Client, name: &str, password: &str, next: &str) -> Reply {
    client.post_form("/login", &[("name", name), ("password", password), ("next", next)]).await
}

fn leads_to(reply: &Reply, place: &str) {
    assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, Some(place)), "{}", reply.text());
}

#[tokio::test]
async fn a_login_leads_back_to_the_page_that_asked_for_it() {
    let (app, _, _folder) = site().await;
    let admin = app.client();
    leads_to(&admin.get("/restricted").await, "/login?next=%2Frestricted");
    assert!(admin.get("/login?next=/restricted").await.text().contains(r#"name="next" value="/restricted""#));
    leads_to(&log_in(&admin, "admin", "hunter43", "/restricted").await, "/restricted");
    assert!(admin.get("/restricted").await.text().contains("admin may read this"));
    leads_to(&admin.post("/logout").await, "/login");
    leads_to(&admin.get("/").await, "/login?next=%2F");
    for elsewhere in ["https://evil.example", "//evil.example", "/\\evil.example"] {
        leads_to(&log_in(&admin, "admin", "hunter43", elsewhere).await, "/");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_the_same() {
    let (app, _, _folder) = site().await;
    let client = app.client();
    let [wrong, unknown] =
        [log_in(&client, "ferris", "hunter43", "/").await, log_in(&client, "nobody", "hunter42", "/").await];
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("not the right name and password"));
    assert_eq!((wrong.status, wrong.text()), (unknown.status, unknown.text()));
    assert!(wrong.set_cookies().is_empty() && unknown.set_cookies().is_empty());
}

#[tokio::test]
async fn a_permission_counts_from_the_next_request() {
    let (app, database, _folder) = site().await;
    let ferris = app.client();
    leads_to(&log_in(&ferris, "ferris", "hunter42", "/").await, "/");
    assert!(ferris.get("/").await.text().contains("Hello, ferris!"));
    assert_eq!(ferris.get("/restricted").await.status, StatusCode::FORBIDDEN);
    sqlx::query("INSERT INTO users_groups SELECT id, 'admins' FROM users WHERE name = 'ferris'")
        .execute(&database)
        .await
        .unwrap();
    assert_eq!(ferris.get("/restricted").await.status, StatusCode::OK);
    sqlx::query("DELETE FROM users_groups").execute(&database).await.unwrap();
    assert_eq!(ferris.get("/restricted").await.status, StatusCode::FORBIDDEN);
    assert_eq!(ferris.get("/").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sessions_and_hashed_passwords_survive_a_restart() {
    let (mut app, database, _folder) = site().await;
    let ferris = app.client();
    leads_to(&log_in(&ferris, "ferris", "hunter42", "/").await, "/");
    let hashes: Vec<String> = sqlx::query_scalar("SELECT password FROM users").fetch_all(&database).await.unwrap();
    assert_eq!(hashes.len(), 2);
    assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$")), "{hashes:?}");
    app.restart().await;
    assert!(ferris.get("/").await.text().contains("Hello, ferris!"));
    let hashes_after: Vec<String> =
        sqlx::query_scalar("SELECT password FROM users").fetch_all(&database).await.unwrap();
    assert_eq!(hashes_after, hashes, "nobody was added twice");
}
