//! # Validation and verification
//!
//! `verify` is given the data of the type that it stands on.
//!
//! Fix: take a borrow of that type.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(verify = is_active)]
struct User {
    name: String,
}

struct Cart;

async fn is_active(_: &Cart, _: &axum::http::request::Parts) -> bool {
    true
}

fn main() {}
