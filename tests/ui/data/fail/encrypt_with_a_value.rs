//! # Validation and verification
//!
//! `encrypt` is on where it stands.
//!
//! Fix: write `encrypt` alone, or remove it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(encrypt = true)]
struct User {
    name: String,
}

fn main() {}
