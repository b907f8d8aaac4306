//! # State and router
//!
//! A router without state has nothing that sessions could come from.
//!
//! Fix: end the router with `.with_state(User::sessions().await?)`.

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

fn app() -> Router {
    Router::new().route("/", get(home))
}

fn main() {}
