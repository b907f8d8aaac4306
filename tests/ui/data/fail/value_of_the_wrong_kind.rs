//! # Options of the attribute
//!
//! Each option takes values of one kind: here, text.
//!
//! Fix: write the value as the message shows it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = 30)]
struct User {
    name: String,
}

fn main() {}
