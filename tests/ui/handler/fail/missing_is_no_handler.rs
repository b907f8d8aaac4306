//! # Options of the handler
//!
//! `missing = path` names an axum handler without state.
//!
//! Fix: write an `async fn` of extractors that answers with a response.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, missing = anonymous)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn anonymous(code: u16) -> u16 {
    code
}

fn main() {}
