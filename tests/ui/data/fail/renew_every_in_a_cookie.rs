//! # Timeouts
//!
//! A session in its cookie can't be made dead, so renewing its id would change nothing.
//!
//! Fix: remove `renew_every`, or choose another backend.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("SESSION_KEYS"), renew_every = "15m")]
struct User {
    name: String,
}

fn main() {}
