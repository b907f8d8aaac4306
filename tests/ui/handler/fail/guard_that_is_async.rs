//! # Guards
//!
//! A guard answers at once; the type's `verify` may wait.
//!
//! Fix: write `fn`, or use `verify` on the type.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = is_root)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn is_root(user: &User) -> bool {
    user.name == "root"
}

fn main() {}
