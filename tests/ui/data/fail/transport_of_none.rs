//! # Transports
//!
//! Without a transport no client could keep its session.
//!
//! Fix: name one, or remove the option: a cookie is the default.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = [])]
struct User {
    name: String,
}

fn main() {}
