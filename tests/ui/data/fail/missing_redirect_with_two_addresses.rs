//! # Responses without a session
//!
//! A redirect goes to one place. What may stand behind it is the parameter in which the login page finds the way back.
//!
//! Fix: write `next = "next"`, or remove the second address.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("/login", "/orders"))]
struct User {
    name: String,
}

fn main() {}
