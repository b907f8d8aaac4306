//! # Validation and verification
//!
//! `verify` may ask a database, so it is awaited.
//!
//! Fix: write `async fn`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(verify = is_active)]
struct User {
    name: String,
}

fn is_active(user: &User, _: &axum::http::request::Parts) -> bool {
    !user.name.is_empty()
}

fn main() {}
