//! # Timeouts
//!
//! Browsers keep no cookie for longer than 400 days.
//!
//! Fix: write `"400d"` or less.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(lifetime = "500d")]
struct User {
    name: String,
}

fn main() {}
