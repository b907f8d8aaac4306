//! # Cookies
//!
//! A cookie's path begins at the root of the host.
//!
//! Fix: begin it with `/`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", path = "app"))]
struct User {
    name: String,
}

fn main() {}
