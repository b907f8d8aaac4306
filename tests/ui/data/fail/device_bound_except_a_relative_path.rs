//! # Device-bound sessions
//!
//! Excepted paths are paths from the root.
//!
//! Fix: begin it with a slash.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound(except = ["static"]))]
struct User {
    name: String,
}

fn main() {}
