//! # Backends
//!
//! Redis by its Sentinels is behind a cargo feature, so that nobody builds it for nothing.
//!
//! Fix: run the command in the message.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = redis(sentinel = ["10.0.0.1:26379", "10.0.0.2:26379"], master = "main"), key = env("SESSION_KEYS"))]
struct User {
    name: String,
}

fn main() {}
