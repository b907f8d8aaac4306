//! # When a session ends
//!
//! Nobody waits for the answer, so there is nothing that a number could tell.
//!
//! Fix: return nothing, or a `Result` whose error becomes an event.

use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, SessionData};

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = ended)]
struct User {
    name: String,
}

async fn ended(user: User, _: EndReason) -> usize {
    user.name.len()
}

fn main() {}
