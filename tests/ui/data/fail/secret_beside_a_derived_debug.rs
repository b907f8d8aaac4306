//! # Field options
//!
//! A type with a secret gets a `Debug` that doesn't show it; the derived one would.
//!
//! Fix: remove `Debug` from the derives.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Debug, Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    #[session(secret)]
    token: String,
}

fn main() {}
