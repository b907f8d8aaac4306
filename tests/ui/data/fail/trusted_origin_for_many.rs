//! # Cross-site requests
//!
//! Each origin that may act for the people who are logged in is named, so that a reader sees all of them.
//!
//! Fix: write one for each host.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(trusted_origins = ["https://*.example"])]
struct User {
    name: String,
}

fn main() {}
