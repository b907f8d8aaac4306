//! # Access
//!
//! The attribute says who may enter, so that it is read without the signature.
//!
//! Fix: write `#[session(protected)]`, `#[session(optional)]` or `#[session(or_default)]`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
