//! # Options of the attribute
//!
//! Nothing is close to what was written, so the message lists everything there is.
//!
//! Fix: choose one of the listed options.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(timeout = "30m")]
struct User {
    name: String,
}

fn main() {}
