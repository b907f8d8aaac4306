//! # Cross-site requests
//!
//! Any page can make browsers say `null`, so trusting it is trusting everybody.
//!
//! Fix: write the origin of the page itself.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(trusted_origins = ["null"])]
struct User {
    name: String,
}

fn main() {}
