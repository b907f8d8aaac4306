//! # Options of the handler
//!
//! `fresh` is part of the program.
//!
//! Fix: write a duration in quotes.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, fresh = env("FRESH"))]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
