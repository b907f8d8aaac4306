//! A small chat over WebSockets. Log in in one tab and log out in another: the first one's socket closes by
//! itself, whichever process serves it.
//!
//! Run it: `cargo run --features chat --bin chat`, then open <http://localhost:3000> in two tabs.
//!
//! Two processes on one Redis (each is a room of its own; it is the sessions that they share):
//! ```sh
//! export SESSION_STORE=redis://127.0.0.1:6379 SESSION_KEYS=$(cargo run --bin keygen)
//! PORT=3000 cargo run --features chat,redis --bin chat &
//! PORT=3001 cargo run --features chat,redis --bin chat
//! ```
//! `SESSION_STORE=file:target/chat` needs nothing installed, nor does `sqlite:target/chat.sqlite` with
//! `--features sqlite`.

#[path = "shared/page.rs"]
mod page;
#[path = "shared/serve.rs"]
mod serve;
#[path = "shared/store.rs"]
mod store;

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{Markup, PreEscaped, html};
use serde::{Deserialize, Serialize};
use session_runtime::{Ended, Error, Session, SessionData, SessionSlot, Sessions, session};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::timeout;

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(cookie(http_on_localhost))]
struct Member {
    name: String,
}

#[derive(Clone)]
struct Chat {
    members: Sessions<Member>,
    /// Everything that is said in this process.
    room: broadcast::Sender<Line>,
}

impl FromRef<Chat> for Sessions<Member> {
    fn from_ref(chat: &Chat) -> Self {
        chat.members.clone()
    }
}

/// A line of the conversation, as the browser gets it.
#[derive(Clone, Serialize)]
struct Line {
    name: String,
    text: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    let chat = Chat { members: store::open().await?, room: broadcast::Sender::new(64) };
    let app = Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/room", get(room));
    serve::serve(app.with_state(chat)).await
}

#[session(protected)]
async fn room(session: Session<Member>, State(chat): State<Chat>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(4096).on_upgrade(async move |socket| attend(socket, session, chat.room).await)
}

/// Talks until the person leaves or the session ends, wherever that happens.
async fn attend(mut socket: WebSocket, session: Session<Member>, room: broadcast::Sender<Line>) {
    let reason = tokio::select! {
        ended = session.ended() => match ended {
            Ended::Expired => "your session has expired",
            _ => "you have been logged out",
        },
        () = talk(&mut socket, &session, &room) => return,
    };
    let farewell = async {
        let close = Message::Close(Some(CloseFrame { code: close_code::POLICY, reason: reason.into() }));
        if socket.send(close).await.is_ok() {
            // The other side says goodbye as well.
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // A client that no longer reads is not waited for.
    _ = timeout(Duration::from_secs(1), farewell).await;
}

/// Passes on what is said, until the connection ends.
async fn talk(socket: &mut WebSocket, session: &Session<Member>, room: &broadcast::Sender<Line>) {
    let mut lines = room.subscribe();
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Ok(line) => {
                    let Ok(json) = serde_json::to_string(&line) else { continue };
                    if socket.send(Message::text(json)).await.is_err() {
                        return;
                    }
                }
                // Who reads too slowly misses the oldest lines.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    // To say something is to use the session; to listen is not.
                    if let Err(Error::Ended) = session.touch().await {
                        continue;
                    }
                    // There is one listener at least: this one.
                    _ = room.send(Line { name: session.name.clone(), text: text.to_string() });
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

#[session(optional)]
async fn home(member: Option<&Member>) -> Markup {
    match member {
        Some(member) => conversation(member),
        None => login_form(None),
    }
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[session(optional)]
async fn login(slot: SessionSlot<Member>, Form(login): Form<Login>) -> Result<Response, Error> {
    let name = login.name.trim();
    if !(1..=40).contains(&name.chars().count()) {
        let form = login_form(Some("Please type a name of 1 to 40 characters."));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, form).into_response());
    }
    slot.start(Member { name: name.into() }).await?;
    Ok(Redirect::to("/").into_response())
}

/// Whoever presses the button a second time, or in a second tab, is sent to the start as well.
#[session(optional)]
async fn logout(slot: SessionSlot<Member>) -> Result<Redirect, Error> {
    slot.end().await?;
    Ok(Redirect::to("/"))
}

fn login_form(problem: Option<&str>) -> Markup {
    page::page(
        "Chat",
        &html! {
            h1 { "A small chat" }
            @if let Some(problem) = problem { p .problem role="alert" { (problem) } }
            form action="/login" method="post" {
                label { "Your name" input name="name" autofocus autocomplete="nickname" maxlength="40"; }
                button { "Come in" }
            }
        },
    )
}

fn conversation(member: &Member) -> Markup {
    page::page(
        "Chat",
        &html! {
            div .row {
                h1 { "Hello, " (member.name) "!" }
                form action="/logout" method="post" { button .quiet { "Log out" } }
            }
            p #status .notice role="status" { "Connecting …" }
            section {
                h2 #heading { "What is said" }
                ol #lines aria-labelledby="heading" aria-live="polite" {}
            }
            form #say {
                label { "Your message" input #text autocomplete="off" maxlength="1000" autofocus; }
                button { "Say it" }
            }
            script { (SCRIPT) }
        },
    )
}

const SCRIPT: PreEscaped<&str> = PreEscaped(
    "
const show = text => document.getElementById('status').textContent = text;
const text = document.getElementById('text');
let socket;
function connect() {
  socket = new WebSocket(location.origin.replace('http', 'ws') + '/room');
  socket.onopen = () => show('Connected');
  socket.onmessage = event => {
    const { name, text } = JSON.parse(event.data);
    const line = document.createElement('li');
    const who = document.createElement('strong');
    who.textContent = name + ': ';
    line.append(who, text);
    document.getElementById('lines').append(line);
  };
  socket.onclose = event => {
    if (event.code === 1008) {
      show('Goodbye: ' + event.reason);
      document.getElementById('say').hidden = true;
    } else {
      show('The connection was lost. Trying again …');
      setTimeout(connect, 1000);
    }
  };
}
document.getElementById('say').addEventListener('submit', event => {
  event.preventDefault();
  if (text.value && socket.readyState === WebSocket.OPEN) {
    socket.send(text.value);
    text.value = '';
  }
});
connect();
",
);
