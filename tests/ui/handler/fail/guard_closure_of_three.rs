//! # Guards
//!
//! A guard looks at one value, the session's data.
//!
//! Fix: write a closure of one parameter.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = |user, times| user.visits > times)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
