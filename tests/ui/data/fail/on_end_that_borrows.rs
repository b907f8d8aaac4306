//! # When a session ends
//!
//! The session is gone when the function runs, so the function owns what is left of it.
//!
//! Fix: take the data by value.

use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, SessionData};

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = ended)]
struct User {
    name: String,
}

async fn ended(user: &User, reason: EndReason) {
    println!("{}: {reason:?}", user.name);
}

fn main() {}
