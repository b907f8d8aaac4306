//! # Owners and limits
//!
//! `on_excess` says what happens to a session too many, and any number is allowed.
//!
//! Fix: add `max_per_owner`, or remove `on_excess`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_excess = refuse)]
struct User {
    #[session(owner)]
    id: u64,
}

fn main() {}
