//! # Validation and verification
//!
//! `validate` names a function.
//!
//! Fix: write a function and name it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(validate = |user| Ok(()))]
struct User {
    name: String,
}

fn main() {}
