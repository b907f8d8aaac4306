//! # Cookies
//!
//! The attributes of `cookie(...)` are a fixed list.
//!
//! Fix: write the suggested name.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(samesite = Lax))]
struct User {
    name: String,
}

fn main() {}
