//! Notes of one person, and the tests of the application: as in the guide's page about testing.
//!
//! Run it: `cargo run --bin notes`, then open <http://localhost:3000>. Run its tests: `cargo test -p examples --bin notes`.

#[path = "shared/serve.rs"]
mod serve;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};

/// A program would name its store here, such as `backend = redis(url = env("REDIS_URL"))`. The tests run in memory
/// whatever it is.
#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "20m", missing = redirect("/"), cookie(http_on_localhost))]
struct Writer {
    #[session(owner)]
    name: String,
    notes: Vec<String>,
}

/// The application as a function of its sessions, so that a test can give it others.
fn app(writers: Sessions<Writer>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/notes", get(notes).post(add))
        .route("/logout", post(logout))
        .route("/invitation", get(accept))
        .with_state(writers)
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

#[session(optional)]
async fn home(writer: Option<&Writer>) -> Html<&'static str> {
    Html(match writer {
        Some(_) => "<a href=/notes>Your notes</a><form method=post action=/logout><button>Log out</button></form>",
        None => "<form method=post action=/login><input name=name aria-label=Name><button>Log in</button></form>",
    })
}

#[session(optional)]
async fn login(slot: SessionSlot<Writer>, Form(form): Form<Login>) -> Result<Redirect, Error> {
    slot.start(Writer { name: form.name, notes: Vec::new() }).await?;
    Ok(Redirect::to("/notes"))
}

#[session(protected)]
async fn notes(writer: &Writer) -> Html<String> {
    let notes: String = writer.notes.iter().map(|note| format!("<li>{}", html_escape::encode_text(note))).collect();
    Html(format!("<ul>{notes}</ul><form method=post><input name=text aria-label=Note><button>Add</button></form>"))
}

#[session(protected)]
async fn add(writer: &mut Writer, Form(note): Form<Note>) -> Result<Redirect, StatusCode> {
    writer.notes.push(note.text);
    if writer.notes.len() > 3 {
        return Err(StatusCode::CONFLICT); // and the note is not kept
    }
    Ok(Redirect::to("/notes"))
}

#[session(protected)]
async fn logout(session: Session<Writer>) -> Result<Redirect, Error> {
    session.end().await?;
    Ok(Redirect::to("/"))
}

/// A link in a letter, which logs in without a form: the session is started without a slot.
async fn accept(State(writers): State<Sessions<Writer>>) -> Result<impl IntoResponse, Error> {
    let started = writers.start(Writer { name: "guest".into(), notes: Vec::new() }).await?;
    Ok((started, Redirect::to("/notes")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    serve::serve(app(Writer::sessions().await?)).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::Request;
    use session_runtime::backend::Memory;
    use session_runtime::testing::{Client, Events, ManualClock};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Sessions in memory, by a clock that the test sets, whatever the type declares.
    async fn sessions(clock: &ManualClock) -> Sessions<Writer> {
        let builder = Sessions::builder().backend(Memory::default()).ephemeral_key().clock(clock.clone());
        builder.open().await.expect("sessions in memory can be opened")
    }

    fn ann() -> Writer {
        Writer { name: "Ann".into(), notes: vec!["<milk>".into()] }
    }

    #[tokio::test]
    async fn an_anonymous_person_is_sent_to_the_start_page() {
        let client = Client::new(app(sessions(&ManualClock::new()).await));
        let response = client.get("/notes").await;
        assert_eq!((response.status().as_u16(), response.header("location")), (303, Some("/")));
        assert!(client.get("/").await.text().contains("Log in"));
    }

    #[tokio::test]
    async fn who_logs_in_writes_notes_until_the_logout() {
        let client = Client::new(app(sessions(&ManualClock::new()).await));
        assert_eq!(client.post_form("/login", &[("name", "Ann")]).await.header("location"), Some("/notes"));
        client.post_form("/notes", &[("text", "fish & chips")]).await;
        assert!(client.get("/notes").await.text().contains("<li>fish &amp; chips"));
        client.post("/logout").await;
        assert_eq!(client.get("/notes").await.status(), 303);
    }

    #[tokio::test]
    async fn a_fourth_note_is_not_kept() {
        let writers = sessions(&ManualClock::new()).await;
        let client = Client::new(app(writers.clone()));
        // No need to go through the login page.
        client.log_in(&writers.start(ann()).await.unwrap());
        for status in [303, 303, 409, 409] {
            assert_eq!(client.post_form("/notes", &[("text", "more")]).await.status(), status);
        }
        assert_eq!(client.get("/notes").await.text().matches("<li>").count(), 3);
    }

    #[tokio::test]
    async fn each_client_is_another_person_and_clones_are_one() {
        let writers = sessions(&ManualClock::new()).await;
        let client = Client::new(app(writers.clone()));
        client.log_in(&writers.start(ann()).await.unwrap());
        assert_eq!(client.clone().get("/notes").await.status(), 200);
        assert_eq!(Client::new(app(writers)).get("/notes").await.status(), 303);
    }

    #[tokio::test]
    async fn nobody_is_logged_in_after_twenty_minutes_without_a_request() {
        let clock = ManualClock::new();
        let writers = sessions(&clock).await;
        let client = Client::new(app(writers.clone()));
        client.log_in(&writers.start(ann()).await.unwrap());
        for (minutes, status) in [(19, 200), (19, 200), (21, 303)] {
            clock.advance(minutes * MINUTE);
            assert_eq!(client.get("/notes").await.status(), status);
        }
    }

    #[tokio::test]
    async fn another_site_cannot_add_a_note() {
        let writers = sessions(&ManualClock::new()).await;
        let client = Client::new(app(writers.clone()));
        client.log_in(&writers.start(ann()).await.unwrap());
        let forged = Request::post("/notes")
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(client.send(forged.body(Body::from("text=spam")).unwrap()).await.status(), 403);
        assert!(!client.get("/notes").await.text().contains("spam"));
    }

    #[tokio::test]
    async fn an_invitation_logs_in_and_a_logout_is_told() {
        let client = Client::new(app(sessions(&ManualClock::new()).await));
        let events = Events::listen();
        assert_eq!(client.get("/invitation").await.header("location"), Some("/notes"));
        assert_eq!(client.get("/notes").await.status(), 200);
        client.post("/logout").await;
        let (started, ended) = (events.only("session.started"), events.only("session.ended"));
        assert_eq!(started.field("session"), ended.field("session"));
    }
}
