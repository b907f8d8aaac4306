//! # Cookies
//!
//! `across_domains` says that a token of one of several domains is good on the others.
//!
//! Fix: remove it, or list the domains.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = "shop.example", across_domains))]
struct User {
    name: String,
}

fn main() {}
