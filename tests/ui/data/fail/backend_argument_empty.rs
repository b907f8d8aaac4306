//! # Backends
//!
//! An empty value says nothing.
//!
//! Fix: write its value, or remove the argument.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = redis(url = env("REDIS_URL"), prefix = ""), key = env("SESSION_KEYS"))]
struct User {
    name: String,
}

fn main() {}
