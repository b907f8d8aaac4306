//! # Responses without a session
//!
//! An address in a header holds visible ASCII characters alone.
//!
//! Fix: percent-encode the others.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("/sign in"))]
struct User {
    name: String,
}

fn main() {}
