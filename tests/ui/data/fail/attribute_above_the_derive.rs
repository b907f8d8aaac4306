//! # The type
//!
//! The derive's attribute and the handlers' have one name. Above the derive it is the handlers'.
//!
//! Fix: put `#[session(...)]` below the derive.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[session_runtime::session(idle = "30m")]
#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

fn main() {}
