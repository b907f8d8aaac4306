//! # When a session ends
//!
//! The runtime calls the function, once the session has ended.
//!
//! Fix: name it without parentheses.

use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, SessionData};

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = ended())]
struct User {
    name: String,
}

async fn ended(_: User, _: EndReason) {}

fn main() {}
