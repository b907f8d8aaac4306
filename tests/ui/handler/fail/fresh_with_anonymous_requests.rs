//! # Options of the handler
//!
//! An anonymous client has proved nothing, however long ago.
//!
//! Fix: write `protected`, or remove `fresh`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(optional, fresh = "10m")]
async fn home(user: Option<&User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

fn main() {}
