//! # Cookies
//!
//! A path with a semicolon or a control character would end the attribute and begin another.
//!
//! Fix: percent-encode it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", path = "/a;b"))]
struct User {
    name: String,
}

fn main() {}
