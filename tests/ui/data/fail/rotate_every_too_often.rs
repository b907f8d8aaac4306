//! # Timeouts
//!
//! The requests of one page have ten seconds to come with the previous id.
//!
//! Fix: write a minute or longer.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(rotate_every = "5s")]
struct User {
    name: String,
}

fn main() {}
