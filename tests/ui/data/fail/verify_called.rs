//! # Validation and verification
//!
//! The runtime calls the function, on every load.
//!
//! Fix: name it without parentheses.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(verify = is_active())]
struct User {
    name: String,
}

async fn is_active() -> bool {
    true
}

fn main() {}
