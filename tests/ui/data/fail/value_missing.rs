//! # Options of the attribute
//!
//! The option needs a value.
//!
//! Fix: write the value as the message shows it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(lifetime)]
struct User {
    name: String,
}

fn main() {}
