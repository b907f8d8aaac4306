//! # Responses without a session
//!
//! A browser would look for a relative address beside the page it asked for.
//!
//! Fix: begin the path with `/`, or write a full address.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("login"))]
struct User {
    name: String,
}

fn main() {}
