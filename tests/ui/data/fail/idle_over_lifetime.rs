//! # Timeouts
//!
//! A session ends with its lifetime, so a longer idle timeout would never be reached.
//!
//! Fix: shorten `idle` or lengthen `lifetime`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "2d", lifetime = "1d")]
struct User {
    name: String,
}

fn main() {}
