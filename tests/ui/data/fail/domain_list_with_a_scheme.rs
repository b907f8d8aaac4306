//! # Cookies
//!
//! Each domain of a list is a host's name, without a scheme, a port or a path, as one domain is.
//!
//! Fix: write `"shop-b.example"`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = ["shop-a.example", "https://shop-b.example", "shop-c.example:80"]))]
struct User {
    name: String,
}

fn main() {}
