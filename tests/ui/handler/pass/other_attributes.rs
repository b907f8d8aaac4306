//! Other attributes on the function keep working.
#![deny(unused, deprecated)]

use axum::{Form, Router, extract::FromRef, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Clone, Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
}

/// A page.
#[session(protected)]
#[axum::debug_handler(state = App)]
async fn checked(user: &User, Form(name): Form<String>) -> String {
    format!("{} {name}", user.name)
}

#[session(protected)]
#[cfg(any())]
async fn absent(user: &NobodyKnowsThisType) {}

#[session(protected)]
#[cfg_attr(all(), allow(unused_variables))]
#[doc = "Not used"]
async fn quiet(user: &User) {}

#[session(protected)]
#[expect(clippy::unused_async, unused_mut, reason = "an expectation is kept")]
async fn expected(mut user: &User) {
    let _ = user;
}

#[session(protected)]
#[allow(deprecated)]
#[deprecated = "look elsewhere"]
async fn old(user: &User) -> String {
    user.name.clone()
}

fn main() {
    #[allow(deprecated)]
    let _: fn(App) -> Router = |app| {
        Router::new().route("/", get(checked).post(quiet).put(expected).delete(old)).with_state(app)
    };
}
