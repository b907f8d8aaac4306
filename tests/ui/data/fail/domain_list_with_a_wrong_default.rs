//! # Cookies
//!
//! The default of a variable keeps the rules of what is written.
//!
//! Fix: write `default = "shop-b.example,shop-c.example"`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = ["shop-a.example", env("MORE_DOMAINS", default = "shop-b.example,*.shop.example")]))]
struct User {
    name: String,
}

fn main() {}
