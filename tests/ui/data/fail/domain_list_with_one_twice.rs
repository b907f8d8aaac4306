//! # Cookies
//!
//! Letter case and a dot at the beginning make no other domain.
//!
//! Fix: keep one of the two.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = ["shop.example", ".Shop.example"]))]
struct User {
    name: String,
}

fn main() {}
