//! # Transports
//!
//! A new bearer token comes back in the header `Session-Token`, so that it can't be another transport's.
//!
//! Fix: take another name.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = [bearer, header("session-token")])]
struct User {
    name: String,
}

fn main() {}
