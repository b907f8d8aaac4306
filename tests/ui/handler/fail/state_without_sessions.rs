//! # State and router
//!
//! A handler takes its sessions from the router's state, by `Sessions<User>: FromRef<State>`. The compiler says it twice:
//! of the route, and of the handler.
//!
//! Fix: give the router `.with_state(User::sessions().await?)`, or the state a field of type `Sessions<User>` and
//! `#[derive(FromRef)]`.

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

#[derive(Clone)]
struct App {
    name: String,
}

fn app(state: App) -> Router {
    Router::new().route("/", get(home)).with_state(state)
}

fn main() {}
