//! # Extractors and responses
//!
//! The error of a handler is sent as a response, too.
//!
//! Fix: implement `IntoResponse` for it.

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Broken;

#[session(protected)]
async fn home(user: &User) -> Result<String, Broken> {
    if user.visits > 9 { Err(Broken) } else { Ok(user.name.clone()) }
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(home)).with_state(sessions)
}

fn main() {}
