//! # Timeouts
//!
//! The idle timeout is 30 minutes unless it is written.
//!
//! Fix: add an `idle` that is not longer than the lifetime.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(lifetime = "10m")]
struct User {
    name: String,
}

fn main() {}
