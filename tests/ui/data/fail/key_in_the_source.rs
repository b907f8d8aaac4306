//! # Keys
//!
//! Whoever reads the source, or the binary, could sign any session.
//!
//! Fix: write `key = env("SESSION_KEYS")` and put the key in the environment.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(key = "VGhpcyBpcyBhIGtleSBvZiAzMiBieXRlcyBpbiBBU0M=")]
struct User {
    name: String,
}

fn main() {}
