//! # Owners and limits
//!
//! A field has options of its own.
//!
//! Fix: write `owner`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(max_per_owner = 5)]
struct User {
    #[session(ownr)]
    id: u64,
}

fn main() {}
