//! # Cookies
//!
//! A domain is a host's name, without a scheme, a port or a path.
//!
//! Fix: write `domain = "example.org"`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = "https://example.org"))]
struct User {
    name: String,
}

fn main() {}
