//! # Environment variables
//!
//! A default is held to the same rules as a literal.
//!
//! Fix: write a default of `"400d"` or less.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(lifetime = env("LIFETIME", default = "500d"))]
struct User {
    name: String,
}

fn main() {}
