//! # Backends
//!
//! A store of capacity zero holds no session.
//!
//! Fix: write a capacity above zero, or remove it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memory(capacity = 0))]
struct User {
    name: String,
}

fn main() {}
