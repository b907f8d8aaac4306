//! # Timeouts
//!
//! With a timeout of zero no session would live.
//!
//! Fix: write a timeout above zero.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "0s")]
struct User {
    name: String,
}

fn main() {}
