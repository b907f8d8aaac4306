//! # Cookies
//!
//! A cookie without a name could not be found again.
//!
//! Fix: write a name, or remove `name` for the one made of the type's.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = ""))]
struct User {
    name: String,
}

fn main() {}
