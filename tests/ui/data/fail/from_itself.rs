//! # Versions and migration
//!
//! A type is not an older version of itself.
//!
//! Fix: keep the type as it was before under another name, and name that.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = 2, from = User)]
struct User {
    name: String,
}

fn main() {}
