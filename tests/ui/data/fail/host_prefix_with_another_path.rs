//! # Cookies
//!
//! Browsers refuse a `__Host-` cookie whose path is not `/`.
//!
//! Fix: remove `path`, or name the cookie `__Secure-...`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Host-user", path = "/app"))]
struct User {
    name: String,
}

fn main() {}
