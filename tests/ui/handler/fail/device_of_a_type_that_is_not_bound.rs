//! # Options of the handler
//!
//! Only a session that is bound to a device can have it proved.
//!
//! Fix: add `device_bound` to the type, or remove `device`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[session(protected, device = "1m")]
async fn pay(user: &User) -> String {
    user.name.clone()
}

fn main() {}
