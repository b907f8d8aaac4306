//! # Access
//!
//! The word names the type; the parameter says how it is borrowed.
//!
//! Fix: write `protected(User)`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected(&User))]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
