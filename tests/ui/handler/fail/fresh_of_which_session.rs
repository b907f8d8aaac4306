//! # Options of the handler
//!
//! With several sessions, one of them has to be fresh.
//!
//! Fix: name that one in `protected(..)`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<u32>,
}

#[session(protected, fresh = "10m")]
async fn home(user: &User, cart: &Cart) -> String {
    format!("{} {}", user.name, cart.items.len())
}

fn main() {}
