//! # Responses without a session
//!
//! What stands there is the name of a parameter, such as `next` in `/login?next=..`.
//!
//! Fix: write the name, in letters.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("/login", next = "?to="))]
struct User {
    name: String,
}

fn main() {}
