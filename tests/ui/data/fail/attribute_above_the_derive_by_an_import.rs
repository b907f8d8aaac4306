//! # The type
//!
//! The derive's attribute and the handlers' have one name. Above the derive and with both imported, the compiler
//! can't tell which is meant; what it suggests is not the fix.
//!
//! Fix: put `#[session(...)]` below the derive.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[session(idle = "30m")]
#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

fn main() {}
