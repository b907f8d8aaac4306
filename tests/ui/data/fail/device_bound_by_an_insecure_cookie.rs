//! # Device-bound sessions
//!
//! Browsers bind sessions over TLS alone.
//!
//! Fix: remove `secure = false`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, cookie(name = "user", secure = false))]
struct User {
    name: String,
}

fn main() {}
