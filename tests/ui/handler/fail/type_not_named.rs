//! # Access
//!
//! With types in parentheses the word is for these alone, and every other session wants its own.
//!
//! Fix: name it as well: `protected(User), optional(Cart)`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<u64>,
}

#[session(protected(User))]
async fn home(user: &User, cart: Option<&Cart>) -> String {
    format!("{} {}", user.name, cart.is_some())
}

fn main() {}
