//! # Guards
//!
//! An async guard is asked about the request as well.
//!
//! Fix: write `async fn is_root(user: &User, parts: &Parts) -> bool`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = async is_root)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn is_root(user: &User) -> bool {
    user.name == "root"
}

fn main() {}
