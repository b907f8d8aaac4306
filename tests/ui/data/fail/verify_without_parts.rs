//! # Validation and verification
//!
//! `verify` is given the data and the request's parts.
//!
//! Fix: take both.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(verify = is_active)]
struct User {
    name: String,
}

async fn is_active(user: &User) -> bool {
    !user.name.is_empty()
}

fn main() {}
