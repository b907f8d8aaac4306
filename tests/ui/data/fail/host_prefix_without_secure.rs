//! # Cookies
//!
//! Browsers refuse a `__Host-` cookie without `Secure`.
//!
//! Fix: remove `secure = false`, or choose a name without the prefix.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Host-user", secure = false))]
struct User {
    name: String,
}

fn main() {}
