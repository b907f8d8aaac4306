//! # Device-bound sessions
//!
//! The binding has three arguments.
//!
//! Fix: write the one that is meant.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound(evry = "10m"))]
struct User {
    name: String,
}

fn main() {}
