//! # Timeouts
//!
//! The lifetime is 12 hours unless it is written.
//!
//! Fix: shorten `idle`, or write a longer `lifetime`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "13h")]
struct User {
    name: String,
}

fn main() {}
