//! # Cookies
//!
//! A session is bound for one host.
//!
//! Fix: remove `domain`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, cookie(name = "__Secure-user", domain = ["shop-a.example", "shop-b.example"]))]
struct User {
    name: String,
}

fn main() {}
