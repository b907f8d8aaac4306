//! # The function
//!
//! Each handler says for itself which sessions it needs.
//!
//! Fix: mark each handler inside the `impl`.

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
impl User {
    async fn home(user: &User) -> String {
        user.name.clone()
    }
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(User::home)).with_state(sessions)
}

fn main() {}
