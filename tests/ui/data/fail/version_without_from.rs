//! # Versions and migration
//!
//! Sessions of the version before are still in the store; without a way from them their owners would be logged out.
//!
//! Fix: keep the type as it was under another name, say how the new one comes from it, and name it with `from`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = 2)]
struct User {
    name: String,
}

fn main() {}
