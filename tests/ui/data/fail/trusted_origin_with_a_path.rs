//! # Cross-site requests
//!
//! Browsers send an origin without a path, so that one with a path is never met.
//!
//! Fix: write it as the message does.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(trusted_origins = ["https://app.example/admin"])]
struct User {
    name: String,
}

fn main() {}
