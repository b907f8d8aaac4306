//! # Owners and limits
//!
//! Sessions that their clients carry are in no store, so nobody can list, count or end all of them.
//!
//! Fix: choose a backend that keeps sessions.

use serde::{Deserialize, Serialize};
use session_runtime::{AllSessions, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("SESSION_KEYS"))]
struct Cart {
    id: u64,
}

fn everybody(carts: &Sessions<Cart>) -> AllSessions<'_, Cart> {
    carts.all()
}

fn main() {}
