//! # Options of the attribute
//!
//! Two values for one option contradict each other; both places are shown.
//!
//! Fix: keep one of the two.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "10m", lifetime = "12h", idle = "30m")]
struct User {
    name: String,
}

fn main() {}
