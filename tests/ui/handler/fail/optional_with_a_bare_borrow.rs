//! # Access
//!
//! With `optional` there may be no session.
//!
//! Fix: write `Option<&User>`, or `protected` to turn anonymous requests away.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(optional)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
