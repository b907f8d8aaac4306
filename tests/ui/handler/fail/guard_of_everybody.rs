//! # Guards
//!
//! A guard looks at a session that is there.
//!
//! Fix: write `protected` beside it.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(optional, guard = |user| user.visits > 9)]
async fn home(user: Option<&User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

fn main() {}
