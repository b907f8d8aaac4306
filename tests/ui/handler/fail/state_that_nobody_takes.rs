//! # Guards
//!
//! The state is for an async guard and for a `missing` handler.
//!
//! Fix: remove `state`, or write `guard = async is_root`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = is_root, state = u32)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn is_root(user: &User) -> bool {
    user.name == "root"
}

fn main() {}
