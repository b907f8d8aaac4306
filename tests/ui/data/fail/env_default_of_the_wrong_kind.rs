//! # Environment variables
//!
//! A default is held to the same rules as a literal.
//!
//! Fix: write a default that the option could have itself.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(secure = env("SECURE", default = "yes")))]
struct User {
    name: String,
}

fn main() {}
