//! # Guards
//!
//! With several sessions the guard could be any one's.
//!
//! Fix: name the one it looks at: `protected(User)`.

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

#[session(protected, guard = |user| user.visits > 9)]
async fn home(user: &User, cart: &Cart) -> String {
    format!("{} {}", user.name, cart.items.len())
}

fn main() {}
