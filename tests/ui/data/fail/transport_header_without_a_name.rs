//! # Transports
//!
//! A header that carries the token needs a name that nothing else uses.
//!
//! Fix: write `header("x-session")`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = header)]
struct User {
    name: String,
}

fn main() {}
