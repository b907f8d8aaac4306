//! # Session parameters
//!
//! What is optional is the borrow.
//!
//! Fix: write `Option<&User>` or `Option<&mut User>`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(optional)]
async fn home(user: Option<User>) -> String {
    user.map_or_else(String::new, |user| user.name)
}

fn main() {}
