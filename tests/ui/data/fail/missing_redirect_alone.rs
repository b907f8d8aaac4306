//! # Responses without a session
//!
//! `missing` may be several things, so it says which.
//!
//! Fix: write `missing = redirect("/login")`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = "/login")]
struct User {
    name: String,
}

fn main() {}
