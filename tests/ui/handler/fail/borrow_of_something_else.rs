//! # Session parameters
//!
//! A borrow in a handler is its session; extractors are taken by value.
//!
//! Fix: take it by value.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: &User, body: &[u8]) -> String {
    format!("{} {}", user.name, body.len())
}

fn main() {}
