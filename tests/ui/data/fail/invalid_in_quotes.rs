//! # Options of the attribute
//!
//! What a bad token gets is one of two words, not text.
//!
//! Fix: write it without quotes.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(invalid = "reject")]
struct User {
    name: String,
}

fn main() {}
