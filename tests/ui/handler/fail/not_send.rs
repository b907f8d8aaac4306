//! # Extractors and responses
//!
//! Handlers move between threads while they wait.
//!
//! Fix: let go of what isn't `Send` before the `.await`.

use std::rc::Rc;

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: &User) -> String {
    let name = Rc::new(user.name.clone());
    std::future::ready(()).await;
    name.to_string()
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(home)).with_state(sessions)
}

fn main() {}
