//! # Session parameters
//!
//! The slot is the handler's own.
//!
//! Fix: write `SessionSlot<User>`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, SessionSlot, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(optional)]
async fn login(slot: &SessionSlot<User>) -> &'static str {
    if slot.get().is_some() { "again" } else { "welcome" }
}

fn main() {}
