//! # Access
//!
//! Only `protected(T)` does something without a parameter: it guards.
//!
//! Fix: add the parameter, or remove the type.

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

#[session(protected(User), optional(Cart))]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
