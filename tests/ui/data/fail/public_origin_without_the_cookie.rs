//! # Cross-site requests
//!
//! An origin is compared to protect cookies, which browsers attach by themselves. A token in a header is attached by the
//! client's own code alone.
//!
//! Fix: remove `public_origin`, or name the cookie among the transports.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = bearer, public_origin = "https://app.example")]
struct User {
    name: String,
}

fn main() {}
