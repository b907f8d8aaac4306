//! # Session parameters
//!
//! A session is lent for one request.
//!
//! Fix: write `&User`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: &'static User) -> String {
    user.name.clone()
}

fn main() {}
