//! # Cookies
//!
//! A cookie without a name of its own gets the prefix `__Host-`, which forbids a domain, whoever chooses it.
//!
//! Fix: name the cookie, for instance `__Secure-user`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(domain = ["shop-a.example", "shop-b.example"]))]
struct User {
    name: String,
}

fn main() {}
