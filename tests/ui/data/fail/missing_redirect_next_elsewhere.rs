//! # Responses without a session
//!
//! The parameter holds a path of this application. Another site would look for it in its own pages.
//!
//! Fix: redirect to a login page of the application, or write a handler that gives the whole address.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("https://login.example/", next = "next"))]
struct User {
    name: String,
}

fn main() {}
