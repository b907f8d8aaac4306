//! # Transports
//!
//! A token travels in a cookie, as a bearer token or in a header that you name.
//!
//! Fix: write the suggested name.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = cookies)]
struct User {
    name: String,
}

fn main() {}
