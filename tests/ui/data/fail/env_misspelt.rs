//! # Environment variables
//!
//! Only `env(...)` stands for a value that is read at run time.
//!
//! Fix: write `env("IDLE")`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = evn("IDLE"))]
struct User {
    name: String,
}

fn main() {}
