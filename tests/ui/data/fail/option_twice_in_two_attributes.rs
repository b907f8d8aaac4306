//! # Options of the attribute
//!
//! Several `#[session(...)]` on one type are read as one list.
//!
//! Fix: keep one of the two.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "10m")]
#[session(idle = "30m")]
struct User {
    name: String,
}

fn main() {}
