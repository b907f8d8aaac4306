//! # Device-bound sessions
//!
//! Browsers renew the proof when two minutes are left, and sign at most 6 times in 9 minutes.
//!
//! Fix: write "4m" or more.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound(every = "1m"))]
struct User {
    name: String,
}

fn main() {}
