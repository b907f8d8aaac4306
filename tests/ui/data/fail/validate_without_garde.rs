//! # Validation and verification
//!
//! A bare `validate` asks the type's `garde::Validate`.
//!
//! Fix: derive `garde::Validate`, or name a function: `validate = check`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(validate)]
struct User {
    name: String,
}

fn main() {}
