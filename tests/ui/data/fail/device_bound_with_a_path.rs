//! # Device-bound sessions
//!
//! A session is bound for the whole host.
//!
//! Fix: remove `path`, and except what needs no proof.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, cookie(name = "__Secure-user", path = "/app"))]
struct User {
    name: String,
}

fn main() {}
