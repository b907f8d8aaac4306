//! # Cross-site requests
//!
//! The default of a variable is held to the rules of what it stands for.
//!
//! Fix: write origins, comma-separated.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(trusted_origins = env("PARTNERS", default = "a.example,b.example"))]
struct User {
    name: String,
}

fn main() {}
