//! # Cookies
//!
//! Browsers refuse `Partitioned` without `Secure`.
//!
//! Fix: remove `secure = false`, or `partitioned`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", partitioned, secure = false))]
struct User {
    name: String,
}

fn main() {}
