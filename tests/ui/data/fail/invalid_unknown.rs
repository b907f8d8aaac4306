//! # Options of the attribute
//!
//! A token that can't be used counts as none, or is refused.
//!
//! Fix: write `anonymous` or `reject`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(invalid = rejct)]
struct User {
    name: String,
}

fn main() {}
