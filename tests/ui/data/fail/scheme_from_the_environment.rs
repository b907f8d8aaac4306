//! # Options of the attribute
//!
//! Handlers are described at compile time, so the name of a scheme is known by then.
//!
//! Fix: write the name in quotes.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(scheme = env("SCHEME"))]
struct User {
    name: String,
}

fn main() {}
