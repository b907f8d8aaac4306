//! # Cookies
//!
//! The function takes the request's parts, and finds the host in them.
//!
//! Fix: write `fn cookie_domain(parts: &Parts) -> Option<String>`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

fn cookie_domain(host: &str) -> Option<String> {
    Some(host.to_owned())
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = cookie_domain))]
struct User {
    name: String,
}

fn main() {}
