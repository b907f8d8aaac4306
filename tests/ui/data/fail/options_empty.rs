//! # Options of the attribute
//!
//! An attribute without options declares nothing, and may be a leftover.
//!
//! Fix: remove it, or write options in parentheses.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session]
struct User {
    name: String,
}

fn main() {}
