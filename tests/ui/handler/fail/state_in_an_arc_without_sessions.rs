//! # State and router
//!
//! The sessions of a state `Arc<App>` are those of `App`.
//!
//! Fix: give `App` a field of type `Sessions<User>` and `#[derive(FromRef)]`.

use std::sync::Arc;

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: &User) -> String {
    user.name.clone()
}

struct App {
    name: String,
}

fn app(state: Arc<App>) -> Router {
    Router::new().route("/", get(home)).with_state(state)
}

fn main() {}
