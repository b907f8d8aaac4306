//! # Backends
//!
//! Two values for one argument contradict each other; both places are shown.
//!
//! Fix: keep one of the two.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memory(capacity = 5, capacity = 10))]
struct User {
    name: String,
}

fn main() {}
