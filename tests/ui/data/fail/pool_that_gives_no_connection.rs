//! # Backends
//!
//! A pool without a connection answers nobody, and how long a request waits for one is a duration. Here the backend's cargo
//! feature is off as well: all mistakes are told at once.
//!
//! Fix: write 1 to 10000 connections, and a duration such as `"5s"`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = postgres(url = env("DATABASE_URL"), max_connections = 0, acquire_timeout = "soon"), key = env("SESSION_KEYS"))]
struct User {
    id: u64,
}

fn main() {}
