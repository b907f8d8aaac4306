//! # The function
//!
//! One list says everything.
//!
//! Fix: write all options in one attribute.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
#[session(wait = "2s")]
async fn home(user: &mut User) -> String {
    user.name.clone()
}

fn main() {}
