//! # State and router
//!
//! Only `#[session]` can set the cookie on the way out, so only handlers under it have the handle. Others read
//! a copy of the data.
//!
//! Fix: put `#[session(protected)]` above the handler, or take a copy: `user: User`.

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

async fn home(session: Session<User>) -> String {
    session.name.clone()
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(home)).with_state(sessions)
}

fn main() {}
