//! # Options of the attribute
//!
//! A timeout, a backend or a cookie is of the type as a whole; a field has options of its own.
//!
//! Fix: move `#[session(...)]` to the type.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[session(idle = "30m")]
    name: String,
}

fn main() {}
