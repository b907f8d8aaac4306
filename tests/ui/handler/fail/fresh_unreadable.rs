//! # Options of the handler
//!
//! A duration is a number with a unit.
//!
//! Fix: write `"10m"`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, fresh = "10")]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
