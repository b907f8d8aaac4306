//! # Options of the attribute
//!
//! In an OpenAPI description a scheme is a component, and these have plain names.
//!
//! Fix: write a name of letters, digits, `.`, `-` and `_`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(scheme = "the user")]
struct User {
    name: String,
}

fn main() {}
