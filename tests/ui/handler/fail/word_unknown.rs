//! # Access
//!
//! The options of a handler are a fixed list.
//!
//! Fix: write the suggested name.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protectd)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
