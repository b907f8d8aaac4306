//! # Owners and limits
//!
//! What serde skips is not stored, so nobody would know later whose the session is.
//!
//! Fix: remove `#[serde(skip)]` from the owner.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[serde(skip)]
    #[session(owner)]
    id: u64,
    name: String,
}

fn main() {}
