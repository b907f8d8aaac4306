//! # Options of the attribute
//!
//! The options of `#[session(...)]` are a fixed list, so that a slip is not silently ignored.
//!
//! Fix: write the suggested name.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idel = "30m")]
struct User {
    name: String,
}

fn main() {}
