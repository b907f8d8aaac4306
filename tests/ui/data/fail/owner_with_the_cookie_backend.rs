//! # Owners and limits
//!
//! A session that its client carries is in no store, so nobody else can list or end it.
//!
//! Fix: choose a backend that keeps sessions, or remove the mark.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("SESSION_KEYS"))]
struct User {
    #[session(owner)]
    id: u64,
}

fn main() {}
