//! Users in SQLite, hashed passwords, and permissions that the database is asked for: what axum-login's examples `sqlite` and
//! `permissions` do.
//!
//! Run it:
//! ```sh
//! export SESSION_KEYS=$(cargo run --bin keygen)
//! cargo run --features users --bin users
//! ```
//! Open <http://localhost:3000> and log in as `ferris` with `hunter42`, or as `admin` with `hunter43`. Users and sessions are
//! kept in `target/users.sqlite`, or where `USERS_DB` says.

#[path = "../shared/page.rs"]
mod page;
#[path = "../shared/serve.rs"]
mod serve;
mod users;

use std::env;

use axum::extract::{FromRef, Query, State};
use axum::http::{StatusCode, request::Parts};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use session_runtime::backend::Sqlite;
use session_runtime::{Error, ProtectLayer, ReturnTo, SessionData, SessionSlot, Sessions, session};

use crate::page::page;
use crate::users::{Broken, Users};

#[derive(Serialize, Deserialize, SessionData)]
#[session(key = env("SESSION_KEYS"), idle = "1d", lifetime = "30d", cookie(http_on_localhost), missing = redirect("/login", next = "next"))]
struct User {
    #[session(owner)] // `sessions.of(&id).end_all()` when the password changes or the account is disabled
    id: i64,
    name: String,
}

#[derive(Clone, FromRef)]
struct App {
    sessions: Sessions<User>,
    users: Users,
}

#[derive(Default, Deserialize)]
struct Login {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: ReturnTo,
}

async fn login_page(Query(login): Query<Login>) -> Markup {
    form(None, &login.next)
}

#[session(optional)]
async fn login(
    slot: SessionSlot<User>,
    State(users): State<Users>,
    Form(login): Form<Login>,
) -> Result<Response, LoginError> {
    let Some(id) = users.authenticate(&login.name, login.password).await? else {
        let page = form(Some("That is not the right name and password."), &login.next);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    slot.start(User { id, name: login.name }).await?;
    Ok(login.next.redirect_or("/").into_response())
}

#[session(optional)]
async fn logout(slot: SessionSlot<User>) -> Result<Redirect, Error> {
    slot.end().await?;
    Ok(Redirect::to("/login"))
}

#[session(protected)]
async fn protected(user: &User) -> Markup {
    let content = html! {
        h1 { "Hello, " (user.name) "!" }
        p { a href="/restricted" { "For administrators" } }
        form action="/logout" method="post" { button { "Log out" } }
    };
    page("Protected", &content)
}

#[session(protected)]
async fn restricted(user: &User) -> Markup {
    page("Restricted", &html! { h1 { (user.name) " may read this" } })
}

/// The routes behind it are for people with this permission; who is not logged in goes to the login page.
fn requires(app: &App, permission: &'static str) -> ProtectLayer<User> {
    app.sessions.protect().guard_with((app.users.clone(), permission), is_permitted)
}

async fn is_permitted(user: &User, _: &Parts, (users, permission): &(Users, &'static str)) -> Result<(), StatusCode> {
    users.may(user.id, permission).await?.then_some(()).ok_or(StatusCode::FORBIDDEN)
}

fn router(app: App) -> Router {
    Router::new()
        .route("/restricted", get(restricted))
        .route_layer(requires(&app, "restricted.read"))
        .route("/", get(protected))
        .route_layer(requires(&app, "protected.read"))
        .route("/login", get(login_page).post(login))
        .route("/logout", post(logout))
        .with_state(app)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    let file = env::var("USERS_DB").unwrap_or_else(|_| "target/users.sqlite".into());
    let (users, pool) = Users::open(&file).await?;
    let sessions = Sessions::builder().backend(Sqlite::from_pool(pool, "sessions").await?).open().await?;
    serve::serve(router(App { sessions, users })).await
}

fn form(problem: Option<&str>, next: &ReturnTo) -> Markup {
    let content = html! {
        h1 { "Log in" }
        @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
        form action="/login" method="post" {
            label { "Name" input name="name" autocomplete="username" autofocus; }
            label { "Password" input name="password" type="password" autocomplete="current-password"; }
            input type="hidden" name="next" value=(next);
            button { "Log in" }
        }
    };
    page("Log in", &content)
}

enum LoginError {
    Session(Error),
    Database(Broken),
}

impl From<Error> for LoginError {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl From<Broken> for LoginError {
    fn from(broken: Broken) -> Self {
        Self::Database(broken)
    }
}

impl IntoResponse for LoginError {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Database(broken) => StatusCode::from(broken).into_response(),
        }
    }
}
