//! # Cookies
//!
//! An application of several domains is at several origins.
//!
//! Fix: remove `public_origin`, and let the proxy leave `Host` as it is.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = ["shop-a.example", "shop-b.example"]), public_origin = "https://shop-a.example")]
struct User {
    name: String,
}

fn main() {}
