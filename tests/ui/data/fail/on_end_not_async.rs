//! # When a session ends
//!
//! What is done when a session ends may wait for a database, so it is awaited.
//!
//! Fix: write `async fn`.

use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, SessionData};

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = ended)]
struct User {
    name: String,
}

fn ended(user: User, reason: EndReason) {
    println!("{}: {reason:?}", user.name);
}

fn main() {}
