//! # Access
//!
//! With `protected` there always is a session.
//!
//! Fix: write `&User`, or `optional` to let anonymous requests in.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: Option<&User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

fn main() {}
