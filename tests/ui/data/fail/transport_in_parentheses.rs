//! # Transports
//!
//! Several transports are a list, in the order in which they are tried.
//!
//! Fix: write them in brackets.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = (bearer, cookie))]
struct User {
    name: String,
}

fn main() {}
