//! # Owners and limits
//!
//! Each login rewrites the list of its owner's sessions, so that list has a bound.
//!
//! Fix: write 10,000 or less.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(max_per_owner = 20_000)]
struct User {
    #[session(owner)]
    id: u64,
}

fn main() {}
