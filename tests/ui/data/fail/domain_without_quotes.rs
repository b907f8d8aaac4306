//! # Cookies
//!
//! A domain is text.
//!
//! Fix: write `domain = "example.org"`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = example.org))]
struct User {
    name: String,
}

fn main() {}
