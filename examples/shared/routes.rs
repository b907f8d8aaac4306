//! The routes of the quickstart: what each does with the session is in its signature.

use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use html_escape::encode_text;
use serde::Deserialize;
use session_runtime::{SessionSlot, Sessions, session};

use crate::User;

/// The routes, for any state that has the sessions.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S>
where
    Sessions<User>: FromRef<S>,
{
    Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/visit", post(visit))
        .route("/me", get(me))
        .route("/logout", post(logout))
}

#[session(optional)]
async fn home(user: Option<&User>) -> Html<String> {
    page(user, None)
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[session(optional)]
async fn login(slot: SessionSlot<User>, Form(form): Form<Login>) -> Result<Response, session_runtime::Error> {
    let name = form.name.trim();
    let problem = match name.chars().count() {
        0 => "Please type a name.",
        65.. => "Please type a name of at most 64 characters.",
        _ => {
            slot.start(User { name: name.into(), visits: 0 }).await?;
            return Ok(Redirect::to("/").into_response());
        }
    };
    let page = page(slot.get().as_deref(), Some(problem));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

#[session(protected)]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

#[session(protected)]
async fn me(user: &User) -> Json<User> {
    Json(user.clone())
}

/// Whoever presses the button a second time, or in a second tab, is sent to the start as well.
#[session(optional)]
async fn logout(slot: SessionSlot<User>) -> Result<Redirect, session_runtime::Error> {
    slot.end().await?;
    Ok(Redirect::to("/"))
}

fn page(user: Option<&User>, problem: Option<&str>) -> Html<String> {
    let content = match user {
        Some(user) => format!(
            r#"<h1>Hello, {name}!</h1>
<p>You have pressed the button <output id="visits">{visits}</output> times.</p>
<form id="visit" action="/visit" method="post"><button>Count</button></form>
<form action="/logout" method="post"><button class="quiet">Log out</button></form>
<script>{COUNT}</script>"#,
            name = encode_text(&user.name),
            visits = user.visits,
        ),
        None => format!(
            r#"<h1>Hello, guest!</h1>
{problem}
<form action="/login" method="post">
<label>Your name <input name="name" autofocus autocomplete="nickname" maxlength="64"></label>
<button>Log in</button>
</form>"#,
            problem = problem.map(|text| format!(r#"<p class="problem" role="alert">{text}</p>"#)).unwrap_or_default(),
        ),
    };
    Html(format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sessions you borrow</title>
<style>{STYLE}</style>
</head>
<body><main>
{content}
</main></body>
</html>
"#
    ))
}

const STYLE: &str = "
:root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }
main { max-width: 26rem; margin: 12vh auto; padding: 0 1rem }
form { display: inline-block; margin-right: .5rem }
input, button { font: inherit; padding: .4rem .8rem; border-radius: .4rem; border: 1px solid #8888 }
button { background: #2457d6; color: #fff; cursor: pointer }
button.quiet { background: none; color: inherit }
.problem { color: #c62828 }";

/// Counts without leaving the page; without JavaScript the form still works.
const COUNT: &str = "
document.getElementById('visit').addEventListener('submit', async event => {
  event.preventDefault();
  const answer = await fetch('/visit', { method: 'POST' });
  if (answer.ok) document.getElementById('visits').textContent = await answer.text();
  else location.reload();
});";
