//! # Owners and limits
//!
//! A limit of 0 would refuse every login.
//!
//! Fix: write how many sessions an owner may have.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(max_per_owner = 0)]
struct User {
    #[session(owner)]
    id: u64,
}

fn main() {}
