//! # Options of the handler
//!
//! A duration is a number with a unit.
//!
//! Fix: write `"2s"` or `"500ms"`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, wait = "2")]
async fn home(user: &mut User) -> String {
    user.name.clone()
}

fn main() {}
