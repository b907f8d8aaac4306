//! # State and router
//!
//! A handler takes its sessions from the router's state.
//!
//! Fix: give the router `.with_state(User::sessions().await?)`, or the state a field of type `Sessions<User>` and
//! `#[derive(FromRef)]`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
#[axum::debug_handler(state = App)]
async fn home(user: &User) -> String {
    user.name.clone()
}

#[derive(Clone)]
struct App {
    name: String,
}

fn main() {}
