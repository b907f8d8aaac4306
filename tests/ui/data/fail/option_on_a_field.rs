//! # Options of a session's type
//!
//! No option is for a field: the type as a whole is declared.
//!
//! Fix: move `#[session(...)]` to the type.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[session(owner)]
    name: String,
}

fn main() {}
