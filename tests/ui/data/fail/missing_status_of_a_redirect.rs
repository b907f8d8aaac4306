//! # Responses without a session
//!
//! A redirect needs a place to go to.
//!
//! Fix: write `redirect("/login")`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = status(302))]
struct User {
    name: String,
}

fn main() {}
