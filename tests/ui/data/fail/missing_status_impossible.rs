//! # Responses without a session
//!
//! A request is answered with a status from 200 to 599.
//!
//! Fix: write `status(401)`, `status(403)` or `status(404)`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = status(42))]
struct User {
    name: String,
}

fn main() {}
