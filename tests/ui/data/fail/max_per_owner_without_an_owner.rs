//! # Owners and limits
//!
//! Sessions are counted by their owner, so a field has to say who that is.
//!
//! Fix: mark the field with `#[session(owner)]`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(max_per_owner = 5)]
struct User {
    id: u64,
}

fn main() {}
