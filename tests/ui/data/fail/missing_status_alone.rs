//! # Responses without a session
//!
//! `missing` may be several things, so it says which.
//!
//! Fix: write `missing = status(401)`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = 401)]
struct User {
    name: String,
}

fn main() {}
