//! # Guards
//!
//! The runtime calls the guard with the data.
//!
//! Fix: name it without parentheses.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = is_root())]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn is_root(user: &User) -> bool {
    user.name == "root"
}

fn main() {}
