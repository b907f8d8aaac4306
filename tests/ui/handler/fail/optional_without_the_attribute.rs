//! # State and router
//!
//! Anonymous requests have no session to borrow, and a handler that allows for them says so. Where the handler names the
//! state before, the compiler tells of a function whose parameter is another state: its name says what to write.
//!
//! Fix: write `#[session(optional)]` above the handler.

use axum::{
    Router,
    extract::{FromRef, State},
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
}

async fn home(_: State<App>, user: Option<&User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

fn app(app: App) -> Router {
    Router::new().route("/", get(home)).with_state(app)
}

fn main() {}
