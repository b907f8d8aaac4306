//! # Transports
//!
//! A transport is a word, not text.
//!
//! Fix: write `cookie`, `bearer` or `header("x-session")` without quotes around it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = "bearer")]
struct User {
    name: String,
}

fn main() {}
