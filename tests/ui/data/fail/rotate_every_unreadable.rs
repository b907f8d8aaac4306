//! # Timeouts
//!
//! A duration is a number with a unit.
//!
//! Fix: write `"15m"`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(rotate_every = "often")]
struct User {
    name: String,
}

fn main() {}
