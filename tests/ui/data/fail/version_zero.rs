//! # Versions and migration
//!
//! Versions count from 1, which is the version of a type that names none.
//!
//! Fix: write `version = 1`, or remove it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = 0)]
struct User {
    name: String,
}

fn main() {}
