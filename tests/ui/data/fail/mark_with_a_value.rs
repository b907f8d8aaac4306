//! # Field options
//!
//! A mark is the word alone.
//!
//! Fix: remove the value.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[session(secret = true)]
    token: String,
}

fn main() {}
