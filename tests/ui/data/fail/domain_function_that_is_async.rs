//! # Cookies
//!
//! The function is asked before anything is loaded, and must not wait.
//!
//! Fix: look the domain up in a middleware, keep it in the request's extensions, and return it from a function that is not async.

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

async fn cookie_domain(_: &Parts) -> Option<String> {
    None
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", domain = cookie_domain))]
struct User {
    name: String,
}

fn main() {}
