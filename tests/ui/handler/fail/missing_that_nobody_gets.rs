//! # Options of the handler
//!
//! A handler that lets everybody in turns nobody away.
//!
//! Fix: remove `missing`, or write `protected`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(optional, missing = redirect("/login"))]
async fn home(user: Option<&User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

fn main() {}
