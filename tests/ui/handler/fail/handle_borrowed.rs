//! # Session parameters
//!
//! The handle is the handler's own: `end` takes it by value, so that a use after it does not compile.
//!
//! Fix: write `Session<User>`, with `mut` before the name to rotate or update it.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn logout(session: &mut Session<User>) -> String {
    session.name.clone()
}

fn main() {}
