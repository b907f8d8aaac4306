//! # Guards
//!
//! A guard looks at the session's data, and at its device where that is bound to one.
//!
//! Fix: write a closure of one parameter, or of two.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = |user, device, times| user.visits > times)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
