//! # State and router
//!
//! A handler borrows its session only under `#[session(...)]`, to change it as well.
//!
//! Fix: write `#[session(protected)]` above the handler.

use axum::{Router, routing::post};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.name.clone()
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/visit", post(visit)).with_state(sessions)
}

fn main() {}
