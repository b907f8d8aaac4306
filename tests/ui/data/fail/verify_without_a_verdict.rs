//! # Validation and verification
//!
//! `verify` answers yes or no, or with a response of its own.
//!
//! Fix: return `bool`, or `Result<(), impl IntoResponse>`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(verify = is_active)]
struct User {
    name: String,
}

async fn is_active(user: &User, _: &axum::http::request::Parts) -> usize {
    user.name.len()
}

fn main() {}
