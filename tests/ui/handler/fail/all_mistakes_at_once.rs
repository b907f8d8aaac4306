//! # Several mistakes at once
//!
//! Every mistake of one handler is told in one go.
//!
//! Fix: each as its message says.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<u64>,
}

#[session(protected, guard = true, wiat = "2s", missing = 401)]
fn home(user: Option<&User>, session: &mut Session<User>, cart: Cart) -> String {
    user.map_or_else(String::new, |user| format!("{} {} {}", user.name, session.visits, cart.items.len()))
}

fn main() {}
