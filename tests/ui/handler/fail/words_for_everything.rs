//! # Access
//!
//! A bare word is for every session of the handler, which leaves none to the other word.
//!
//! Fix: name the types: `protected(User), optional(Cart)`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, optional)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
