//! # Backends
//!
//! Each argument takes values of one kind.
//!
//! Fix: write the value as the message shows it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memory(capacity = "many"))]
struct User {
    name: String,
}

fn main() {}
