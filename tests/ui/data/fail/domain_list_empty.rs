//! # Cookies
//!
//! A list of domains is of those that the application is served at.
//!
//! Fix: write the domains, or remove `domain`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = []))]
struct User {
    name: String,
}

fn main() {}
