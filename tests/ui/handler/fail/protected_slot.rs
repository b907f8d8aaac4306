//! # Access
//!
//! A slot is there with and without a session in it, as a login needs it.
//!
//! Fix: write `optional`, or take `Session<User>`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, SessionSlot, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn login(slot: SessionSlot<User>) -> &'static str {
    if slot.get().is_some() { "again" } else { "welcome" }
}

fn main() {}
