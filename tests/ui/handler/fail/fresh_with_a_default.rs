//! # Options of the handler
//!
//! A session that has not been started yet has no proof.
//!
//! Fix: write `protected`, or remove `fresh`.

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

#[session(or_default, fresh = "10m")]
async fn home(cart: &mut Cart) -> String {
    cart.items.push(1);
    cart.items.len().to_string()
}

fn main() {}
