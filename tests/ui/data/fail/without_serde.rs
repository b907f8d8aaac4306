//! # The type
//!
//! A session is stored as JSON, by serde.
//!
//! Fix: derive `Serialize` and `Deserialize` too.

use session_runtime::SessionData;

#[derive(SessionData)]
struct User {
    name: String,
}

fn main() {}
