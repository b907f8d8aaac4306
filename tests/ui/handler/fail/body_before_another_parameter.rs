//! # Extractors and responses
//!
//! A request has one body, which is read after everything else.
//!
//! Fix: move the parameter to the end.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn rename(name: String, user: &mut User) -> &'static str {
    user.name = name;
    "renamed"
}

fn main() {}
