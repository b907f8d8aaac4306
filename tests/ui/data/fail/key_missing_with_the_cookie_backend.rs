//! # Keys
//!
//! The sessions are in the browsers, which outlive the process. With a key that ends with it, they could not be used
//! after a restart.
//!
//! Fix: add `key = env("SESSION_KEYS")`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie)]
struct User {
    name: String,
}

fn main() {}
