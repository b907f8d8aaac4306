//! # Owners and limits
//!
//! A session has one owner: a list of sessions is one person's.
//!
//! Fix: mark the field that says whose the session is, or one that holds both.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[session(owner)]
    id: u64,
    #[session(owner)]
    name: String,
}

fn main() {}
