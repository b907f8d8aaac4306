//! # Environment variables
//!
//! What is used without the variable is named, so that it is not taken for a second variable.
//!
//! Fix: write `env("IDLE", default = "30m")`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = env("IDLE", "30m"))]
struct User {
    name: String,
}

fn main() {}
