//! # Transports
//!
//! HTTP allows letters, digits and a few signs in a header's name.
//!
//! Fix: leave the character out.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = header("x session"))]
struct User {
    name: String,
}

fn main() {}
