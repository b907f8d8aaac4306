//! # Cookies
//!
//! The runtime calls the function for each request.
//!
//! Fix: write `domain = cookie_domain`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

fn cookie_domain() -> Option<String> {
    None
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = cookie_domain()))]
struct User {
    name: String,
}

fn main() {}
