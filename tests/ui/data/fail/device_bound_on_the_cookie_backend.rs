//! # Device-bound sessions
//!
//! The key is kept in the session's record on the server.
//!
//! Fix: choose another backend.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, backend = cookie, key = env("SESSION_KEYS"))]
struct User {
    name: String,
}

fn main() {}
