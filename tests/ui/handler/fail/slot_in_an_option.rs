//! # Session parameters
//!
//! A slot is there with and without a session in it.
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
async fn login(slot: Option<SessionSlot<User>>) -> &'static str {
    if slot.is_some() { "again" } else { "welcome" }
}

fn main() {}
