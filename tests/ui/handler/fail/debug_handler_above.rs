//! # The function
//!
//! `#[debug_handler]` checks the function as axum calls it. Above `#[session]` it sees yours, and takes each borrow for
//! an extractor.
//!
//! Fix: put `#[debug_handler]` below `#[session]`.

use axum::debug_handler;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[debug_handler(state = Sessions<User>)]
#[session(protected)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
