//! # Device-bound sessions
//!
//! A thief can use both cookies for as long as a proof counts.
//!
//! Fix: write "1h" or less.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound(every = "2h"))]
struct User {
    name: String,
}

fn main() {}
