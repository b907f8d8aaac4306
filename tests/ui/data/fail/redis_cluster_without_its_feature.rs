//! # Backends
//!
//! Redis Cluster is behind a cargo feature, so that nobody builds it for nothing.
//!
//! Fix: run the command in the message.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = redis(cluster = ["10.0.0.1:6379", "10.0.0.2:6379"]), key = env("SESSION_KEYS"))]
struct User {
    name: String,
}

fn main() {}
