//! # Environment variables
//!
//! The variable is read when the sessions are opened, not when the program is compiled.
//!
//! Fix: write `env("VAR")`, without `!`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = env!("IDLE"))]
struct User {
    name: String,
}

fn main() {}
