//! # Cookies
//!
//! Browsers refuse `SameSite=None` without `Secure`.
//!
//! Fix: remove `secure = false`, or write `same_site = Lax`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", same_site = None, secure = false))]
struct User {
    name: String,
}

fn main() {}
