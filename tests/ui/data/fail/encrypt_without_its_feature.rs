//! # Validation and verification
//!
//! Sealing brings a cipher with it, behind a cargo feature.
//!
//! Fix: run the command in the message.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(encrypt)]
struct User {
    name: String,
}

fn main() {}
