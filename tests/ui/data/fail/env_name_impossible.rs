//! # Environment variables
//!
//! An environment variable's name holds no `=` and no NUL.
//!
//! Fix: write the variable's name alone.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = env("IDLE=30m"))]
struct User {
    name: String,
}

fn main() {}
