//! # Options of the handler
//!
//! The proof would be too old when the browser comes back with it.
//!
//! Fix: write "10s" or more.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound)]
struct User {
    name: String,
}

#[session(protected, device = "1s")]
async fn pay(user: &User) -> String {
    user.name.clone()
}

fn main() {}
