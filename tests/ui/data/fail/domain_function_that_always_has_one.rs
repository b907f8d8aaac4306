//! # Cookies
//!
//! A host may be none of the application's, so the function returns an `Option`.
//!
//! Fix: return `Some(domain)`, or `None` for hosts that are not served.

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

fn cookie_domain(_: &Parts) -> String {
    "shop.example".to_owned()
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = cookie_domain))]
struct User {
    name: String,
}

fn main() {}
