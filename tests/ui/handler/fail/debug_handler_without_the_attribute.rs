//! # State and router
//!
//! axum advises `#[debug_handler]` for a function that is no handler. It explains extractors, and a borrow is none without
//! `#[session(...)]`.
//!
//! Fix: write `#[session(protected)]` above `#[debug_handler]`, or in its place.

use axum::{Router, debug_handler, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[debug_handler]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(home)).with_state(sessions)
}

fn main() {}
