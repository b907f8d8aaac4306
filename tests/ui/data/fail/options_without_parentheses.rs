//! # Options of the attribute
//!
//! `#[session = ...]` is no list of options.
//!
//! Fix: write `#[session(idle = "30m")]`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session = "30m"]
struct User {
    name: String,
}

fn main() {}
