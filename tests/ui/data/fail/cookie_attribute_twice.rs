//! # Cookies
//!
//! Two values for one attribute contradict each other; both places are shown.
//!
//! Fix: keep one of the two.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(secure = true, path = "/", secure = false))]
struct User {
    name: String,
}

fn main() {}
