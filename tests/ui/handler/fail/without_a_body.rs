//! # The function
//!
//! A handler answers, so it has a body.
//!
//! Fix: write it in `{ .. }`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: &User) -> String;

fn main() {}
