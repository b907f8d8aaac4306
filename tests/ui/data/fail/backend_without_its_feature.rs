//! # Backends
//!
//! Each backend but `memory` is behind a cargo feature of its name, so that nobody builds a driver for nothing.
//!
//! Fix: run the command in the message.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = sqlite(path = "sessions.db"), key = env("SESSION_KEYS"))]
struct User {
    name: String,
}

fn main() {}
