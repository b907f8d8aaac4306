//! `backend = cookie`: the session travels in its token.

use std::time::Duration;

use axum::{
    Extension, Form, Json, Router,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, Session, SessionData, SessionSlot, Sessions, backend::Cookie, session, testing::ManualClock,
};
use session_tests::{Served, serve};

use crate::support::{assert_problem, key};

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_CARRIED_KEY"), name = "carried-note")]
struct Note {
    text: String,
}

#[session(optional)]
async fn write(slot: SessionSlot<Note>, Form(note): Form<Note>) -> Result<(), Error> {
    slot.start(note).await
}

#[session(protected)]
async fn read(note: &Note) -> Json<Note> {
    Json(note.clone())
}

#[session(protected)]
async fn append(mut session: Session<Note>, Form(more): Form<Note>) -> Result<String, Error> {
    session.update(|note| note.text.push_str(&more.text)).await?;
    session.update(|note| note.text.push('.')).await?;
    Ok(session.text.clone())
}

/// Changes the note after an hour.
#[session(protected)]
async fn append_late(mut session: Session<Note>, Extension(clock): Extension<ManualClock>) -> Result<(), Error> {
    clock.advance(Duration::from_secs(3600));
    let changed = session.update(|note| note.text.push('.')).await;
    assert!(matches!(changed, Err(Error::Ended)), "{changed:?}");
    changed
}

#[session(protected)]
async fn append_nothing(mut session: Session<Note>) -> Result<(), Error> {
    session.update(|note| note.text.push_str("")).await
}

#[session(protected)]
async fn logout(session: Session<Note>) -> Result<(), Error> {
    session.end().await
}

#[session(protected, fresh = "10m")]
async fn sign(_note: &Note) {}

#[session(protected)]
async fn prove(mut session: Session<Note>) -> Result<(), Error> {
    session.mark_reauthenticated().await
}

async fn server(clock: &ManualClock, keys: &str) -> Served {
    let sessions = Sessions::<Note>::builder().key(keys).clock(clock.clone()).open().await.expect("they open");
    let router = Router::new()
        .route("/write", post(write))
        .route("/read", get(read))
        .route("/append", post(append))
        .route("/append-late", post(append_late))
        .route("/append-nothing", post(append_nothing))
        .layer(Extension(clock.clone()))
        .route("/logout", post(logout))
        .route("/sign", post(sign))
        .route("/prove", post(prove));
    serve(router.with_state(sessions)).await
}

#[tokio::test]
async fn a_carried_session_needs_no_store_and_is_read_by_every_process_that_has_the_key() {
    let clock = ManualClock::new();
    let (one, other) = (server(&clock, &key('k')).await, server(&clock, &key('k')).await);
    let client = one.client();
    let reply = client.post_form("/write", &[("text", "secret")]).await;
    assert_eq!(reply.set_cookies().len(), 1);
    assert!(!client.cookie("__Host-note").unwrap().contains("secret"));
    let reply = client.at(&other.url()).get("/read").await;
    assert_eq!(reply.text(), r#"{"text":"secret"}"#);
    assert!(reply.set_cookies().is_empty(), "nothing has changed");
    assert_problem(&client.at(&server(&clock, &key('o')).await.url()).get("/read").await, 401, "missing");
}

#[tokio::test]
async fn a_builder_that_is_given_the_cookie_carries_sessions_as_a_type_that_declares_it_does() {
    let sessions = Sessions::<Note>::builder().backend(Cookie).key(&key('k')).open().await.expect("they open");
    let router = Router::new().route("/write", post(write)).route("/read", get(read));
    let server = serve(router.with_state(sessions)).await;
    let client = server.client();
    client.post_form("/write", &[("text", "a")]).await;
    assert_eq!(client.get("/read").await.text(), r#"{"text":"a"}"#);
}

#[tokio::test]
async fn a_change_of_a_carried_session_is_a_new_cookie() {
    let server = server(&ManualClock::new(), &key('k')).await;
    let client = server.client();
    client.post_form("/write", &[("text", "a")]).await;
    let reply = client.post_form("/append", &[("text", "b")]).await;
    assert_eq!((reply.text(), reply.set_cookies().len()), ("ab.", 1));
    assert_eq!(client.get("/read").await.text(), r#"{"text":"ab."}"#);
    assert_eq!(client.post("/logout").await.status, 200);
    assert_problem(&client.get("/read").await, 401, "missing");
}

#[tokio::test]
async fn a_change_of_a_carried_session_that_changes_nothing_gives_no_cookie() {
    let server = server(&ManualClock::new(), &key('k')).await;
    let client = server.client();
    client.post_form("/write", &[("text", "a")]).await;
    let reply = client.post("/append-nothing").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0));
    assert_eq!(client.get("/read").await.text(), r#"{"text":"a"}"#);
}

#[tokio::test]
async fn a_carried_session_that_expires_while_its_handler_runs_is_not_changed_any_more() {
    let server = server(&ManualClock::new(), &key('k')).await;
    let client = server.client();
    client.post_form("/write", &[("text", "a")]).await;
    let reply = client.post("/append-late").await;
    assert!(reply.status.is_client_error(), "{}", reply.status);
    // The request came while the session was alive, so it counts as a use; its change came too late.
    assert_eq!(client.get("/read").await.text(), r#"{"text":"a"}"#);
}

#[tokio::test]
async fn a_carried_session_ends_when_it_is_not_used_and_at_the_end_of_its_lifetime() {
    let clock = ManualClock::new();
    let server = server(&clock, &key('k')).await;
    let minute = Duration::from_secs(60);
    let client = server.client();
    client.post_form("/write", &[("text", "a")]).await;
    // Used all the time it lives for its lifetime, twelve hours; each use that is due is noted in a new cookie.
    for _ in 0..35 {
        clock.advance(20 * minute);
        let reply = client.get("/read").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    }
    clock.advance(20 * minute);
    assert_problem(&client.get("/read").await, 401, "missing");

    client.post_form("/write", &[("text", "b")]).await;
    clock.advance(32 * minute);
    assert_problem(&client.get("/read").await, 401, "missing");
}

#[tokio::test]
async fn a_carried_session_that_is_too_large_is_refused_and_nothing_is_sent() {
    let server = server(&ManualClock::new(), &key('k')).await;
    let client = server.client();
    let mut fits = 0;
    for length in [1000, 2000, 2800, 2900, 3000, 3100, 4000] {
        let reply = client.post_form("/write", &[("text", &"x".repeat(length))]).await;
        if reply.status == 200 {
            let cookie = client.cookie("__Host-note").unwrap();
            assert!("__Host-note".len() + cookie.len() <= 4096);
            fits = length;
        } else {
            assert_problem(&reply, 500, "internal");
            assert!(reply.set_cookies().is_empty());
            let kept = client.get("/read").await;
            assert_eq!(kept.text().len(), r#"{"text":""}"#.len() + fits, "the session before stands");
        }
    }
    assert!((2000..4000).contains(&fits), "{fits}");
}

#[tokio::test]
async fn a_carried_session_knows_when_its_owner_was_last_asked_who_they_are() {
    let clock = ManualClock::new();
    let server = server(&clock, &key('k')).await;
    let client = server.client();
    client.post_form("/write", &[("text", "a")]).await;
    assert_eq!(client.post("/sign").await.status, 200);
    clock.advance(Duration::from_secs(11 * 60));
    client.get("/read").await;
    assert_problem(&client.post("/sign").await, 401, "stale");
    assert_eq!(client.post("/prove").await.set_cookies().len(), 1);
    assert_eq!(client.post("/sign").await.status, 200);
    client.post_form("/append", &[("text", "b")]).await;
    assert_eq!(client.post("/sign").await.status, 200, "a change takes it along");
}

/// A later release of the same application.
mod later {
    use super::*;

    #[derive(Clone, Serialize, Deserialize, SessionData)]
    #[session(backend = cookie, key = env("HTTP_TESTS_CARRIED_KEY"), name = "carried-note", version = 2, from = super::Note)]
    struct Note {
        lines: Vec<String>,
    }

    impl From<super::Note> for Note {
        fn from(old: super::Note) -> Self {
            Self { lines: vec![old.text] }
        }
    }

    #[session(protected)]
    async fn read(note: &Note) -> Json<Note> {
        Json(note.clone())
    }

    #[session(protected)]
    async fn append(mut session: Session<Note>, line: String) -> Result<(), Error> {
        session.update(|note| note.lines.push(line.clone())).await
    }

    pub(super) async fn server(keys: &str) -> Served {
        let sessions = Sessions::<Note>::builder().key(keys).open().await.expect("they open");
        serve(Router::new().route("/read", get(read)).route("/append", post(append)).with_state(sessions)).await
    }
}

#[tokio::test]
async fn a_carried_session_is_read_by_a_later_release_and_belongs_to_it_once_it_is_changed_there() {
    let keys = key('k');
    let sessions = Sessions::<Note>::builder().key(&keys).open().await.expect("they open");
    let router = Router::new().route("/write", post(write)).route("/read", get(read));
    let (first, second) = (serve(router.with_state(sessions)).await, later::server(&keys).await);
    let client = first.client();
    client.post_form("/write", &[("text", "a")]).await;
    assert_eq!(client.at(&second.url()).get("/read").await.text(), r#"{"lines":["a"]}"#);
    assert_eq!(client.get("/read").await.text(), r#"{"text":"a"}"#, "reading it has changed nothing");
    let reply = client.at(&second.url()).send(Method::POST, "/append", |request| request.body("b")).await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    assert_eq!(client.at(&second.url()).get("/read").await.text(), r#"{"lines":["a","b"]}"#);
    let reply = client.get("/read").await;
    assert_problem(&reply, 401, "missing");
    assert!(reply.set_cookies().is_empty(), "it is left to those who can read it");
}
