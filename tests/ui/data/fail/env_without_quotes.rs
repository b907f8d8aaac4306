//! # Environment variables
//!
//! `env` takes the name of a variable as text.
//!
//! Fix: write `env("IDLE")`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = env(IDLE))]
struct User {
    name: String,
}

fn main() {}
