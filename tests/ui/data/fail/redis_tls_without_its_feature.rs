//! # Backends
//!
//! TLS to Redis is behind a cargo feature, so that nobody builds it for nothing.
//!
//! Fix: run the command in the message.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = redis(url = "rediss://redis.example", ca = env("REDIS_CA")), key = env("SESSION_KEYS"))]
struct User {
    name: String,
}

fn main() {}
