//! # Transports
//!
//! `Authorization` names a scheme before the token, and others use it, too.
//!
//! Fix: write `transport = bearer`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = header("Authorization"))]
struct User {
    name: String,
}

fn main() {}
