//! Domains that each request's host chooses: a list, and functions of every shape.

use axum::http::{header, request::Parts};
use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-a", domain = ["shop-a.example", env("MORE_DOMAINS", default = ""), env("OTHERS")]))]
struct Listed;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-b", domain = ["shop-a.example"], across_domains))]
struct Across;

mod tenants {
    use super::*;

    pub fn owned(_: &Parts) -> Option<String> {
        None
    }

    pub fn fixed(_: &Parts) -> Option<&'static str> {
        Some("shop.example")
    }
}

fn borrowed(parts: &Parts) -> Option<&str> {
    parts.headers.get(header::HOST)?.to_str().ok()
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-c", domain = tenants::owned))]
struct ByPath;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-d", domain = crate::tenants::fixed))]
struct ByPathOfTheCrate;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-e", domain = borrowed))]
struct Borrowed;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-f", domain = Self::domain, across_domains = true))]
struct Own;

impl Own {
    fn domain(parts: &Parts) -> Option<String> {
        parts.extensions.get::<String>().cloned()
    }
}

fn main() {}
