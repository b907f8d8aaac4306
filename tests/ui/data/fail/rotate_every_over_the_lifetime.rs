//! # Timeouts
//!
//! A session ends with its lifetime, so it would never be rotated.
//!
//! Fix: shorten `rotate_every` or lengthen `lifetime`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(lifetime = "1h", rotate_every = "2h")]
struct User {
    name: String,
}

fn main() {}
