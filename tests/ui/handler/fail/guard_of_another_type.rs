//! # Guards
//!
//! A guard looks at the data of the handler's session.
//!
//! Fix: take a borrow of the session's type.

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

#[session(protected, guard = is_full)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn is_full(cart: &Cart) -> bool {
    cart.items.len() > 9
}

fn main() {}
