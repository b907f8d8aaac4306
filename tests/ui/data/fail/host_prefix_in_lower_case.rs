//! # Cookies
//!
//! Browsers know the prefix in any case of letters, and so does the rule.
//!
//! Fix: remove `domain`, or name the cookie `__Secure-...`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__host-user", domain = "example.org"))]
struct User {
    name: String,
}

fn main() {}
