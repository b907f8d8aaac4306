//! # Cross-site requests
//!
//! Other sites' requests are dangerous because browsers attach cookies to them. A token in a header is attached by nobody
//! but the client's own code.
//!
//! Fix: remove `trusted_origins`, or name the cookie among the transports.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = bearer, trusted_origins = ["https://app.example"])]
struct User {
    name: String,
}

fn main() {}
