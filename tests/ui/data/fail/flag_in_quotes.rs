//! # Cookies
//!
//! A flag is `true` or `false`, or its bare name for `true`.
//!
//! Fix: write `secure = false` without quotes.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", secure = "false"))]
struct User {
    name: String,
}

fn main() {}
