//! # Cookies
//!
//! Browsers refuse a `__Host-` cookie that names a domain: the prefix promises that only this host set it.
//!
//! Fix: remove `domain`, or name the cookie `__Secure-...`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Host-user", domain = "example.org"))]
struct User {
    name: String,
}

fn main() {}
