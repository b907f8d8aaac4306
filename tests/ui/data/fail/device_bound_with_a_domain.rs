//! # Device-bound sessions
//!
//! A session is bound for one host.
//!
//! Fix: remove `domain`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, cookie(name = "__Secure-user", domain = "example.org"))]
struct User {
    name: String,
}

fn main() {}
