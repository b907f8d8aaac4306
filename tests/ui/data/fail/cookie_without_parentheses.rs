//! # Cookies
//!
//! `cookie` is a list of attributes; its name is one of them.
//!
//! Fix: write `cookie(name = "__Host-user")`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie = "__Host-user")]
struct User {
    name: String,
}

fn main() {}
