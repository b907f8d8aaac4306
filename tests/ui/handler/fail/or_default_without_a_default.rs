//! # Access
//!
//! An anonymous client gets the type's default.
//!
//! Fix: derive or implement `Default` for it.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(or_default)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
