//! # Options of the attribute
//!
//! Options are separated by commas.
//!
//! Fix: write a comma between them.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memory(capacity = 5) idle = "30m")]
struct User {
    name: String,
}

fn main() {}
