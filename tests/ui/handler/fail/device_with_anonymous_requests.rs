//! # Options of the handler
//!
//! An anonymous client has no device.
//!
//! Fix: write `protected`, or remove `device`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound)]
struct User {
    name: String,
}

#[session(optional, device = "1m")]
async fn pay(user: Option<&User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

fn main() {}
