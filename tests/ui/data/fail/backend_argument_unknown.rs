//! # Backends
//!
//! Each backend has its own arguments.
//!
//! Fix: write the suggested name.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memory(capcity = 10_000))]
struct User {
    name: String,
}

fn main() {}
