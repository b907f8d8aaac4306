//! # Transports
//!
//! A header of one's own has a name of one's own.
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
