//! # Owners and limits
//!
//! The oldest session ends, or the new one is refused.
//!
//! Fix: write `end_oldest` or `refuse`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(max_per_owner = 5, on_excess = end_oldst)]
struct User {
    #[session(owner)]
    id: u64,
}

fn main() {}
