//! # Device-bound sessions
//!
//! The browser proves its key to get a cookie, and this type has none.
//!
//! Fix: name the cookie among the transports.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, transport = bearer)]
struct User {
    name: String,
}

fn main() {}
