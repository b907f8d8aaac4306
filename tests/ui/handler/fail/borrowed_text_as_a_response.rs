//! # Extractors and responses
//!
//! A response outlives the borrow of the session, so it can't borrow from it.
//!
//! Fix: return an owned value: `String` and `user.name.clone()`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[session(protected)]
async fn home(user: &User) -> &str {
    &user.name
}

fn main() {}
