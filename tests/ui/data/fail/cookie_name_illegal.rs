//! # Cookies
//!
//! A cookie's name is a token of HTTP: no spaces, no separators, no control characters.
//!
//! Fix: write letters, digits, `-` and `_`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "my cookie"))]
struct User {
    name: String,
}

fn main() {}
