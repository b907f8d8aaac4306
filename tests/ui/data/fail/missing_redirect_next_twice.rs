//! # Responses without a session
//!
//! The login page would find two parameters of one name, and each framework takes another one of them.
//!
//! Fix: give the parameter another name.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("/login?next=account", next = "next"))]
struct User {
    name: String,
}

fn main() {}
