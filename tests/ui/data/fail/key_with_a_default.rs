//! # Keys
//!
//! A default in the source is not secret either, and is used where the variable was forgotten.
//!
//! Fix: remove the default.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(key = env("SESSION_KEYS", default = "VGhpcyBpcyBhIGtleSBvZiAzMiBieXRlcyBpbiBBU0M="))]
struct User {
    name: String,
}

fn main() {}
