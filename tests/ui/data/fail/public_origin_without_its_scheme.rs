//! # Cross-site requests
//!
//! Only a whole origin can be compared with what browsers send.
//!
//! Fix: write the origin that people see, with its scheme.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(public_origin = "app.example")]
struct User {
    name: String,
}

fn main() {}
