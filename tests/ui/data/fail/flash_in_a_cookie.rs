//! # Field options
//!
//! A session in its cookie can be presented again, and a flash with it.
//!
//! Fix: choose another backend.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("SESSION_KEYS"))]
struct User {
    #[session(flash)]
    notice: Option<String>,
}

fn main() {}
