//! # Timeouts
//!
//! A session in its cookie can't be made dead, so rotating its id would change nothing.
//!
//! Fix: remove `rotate_every`, or choose another backend.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("SESSION_KEYS"), rotate_every = "15m")]
struct User {
    name: String,
}

fn main() {}
