//! # Guards
//!
//! A handler has one guard; both places are shown.
//!
//! Fix: write one guard that asks both: `guard = |user| user.name == "root" && user.visits > 9`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = |user| user.name == "root", guard = |user| user.visits > 9)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
