//! # Cookies
//!
//! The function that chooses a domain is named by its path.
//!
//! Fix: write a function, and name it; a closure is given to `Builder::cookie_domain_by`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = |parts| None))]
struct User {
    name: String,
}

fn main() {}
