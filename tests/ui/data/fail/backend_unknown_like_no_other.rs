//! # Backends
//!
//! Nothing is close to what was written, so the message lists the backends.
//!
//! Fix: choose one of them, or name a type of your own by its path.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = mongo, key = env("SESSION_KEYS"))]
struct User {
    name: String,
}

fn main() {}
