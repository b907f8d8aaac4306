//! # Backends
//!
//! A backend is a name or a path.
//!
//! Fix: write it without quotes.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = "memory")]
struct User {
    name: String,
}

fn main() {}
