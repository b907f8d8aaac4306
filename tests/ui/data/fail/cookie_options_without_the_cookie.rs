//! # Transports
//!
//! Where the token travels in no cookie there is none to describe.
//!
//! Fix: remove `cookie(...)`, or name the cookie among the transports.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = bearer, cookie(persistent))]
struct User {
    name: String,
}

fn main() {}
