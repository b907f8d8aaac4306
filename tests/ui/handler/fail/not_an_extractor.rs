//! # Extractors and responses
//!
//! What a handler takes comes from the request or the state. Which state is known to the router alone, so that axum
//! tells it there, and without a reason.
//!
//! Fix: add `#[axum::debug_handler]` below `#[session]`, with `state = ...` where there is a state of your own: the
//! message then points at the parameter.

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Theme;

#[session(protected)]
async fn home(user: &User, theme: Theme) -> String {
    let Theme = theme;
    user.name.clone()
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(home)).with_state(sessions)
}

fn main() {}
