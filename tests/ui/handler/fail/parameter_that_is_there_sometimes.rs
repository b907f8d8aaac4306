//! # The function
//!
//! The parameters decide how the handler is wrapped, before conditions are.
//!
//! Fix: put the condition on two versions of the handler.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(#[cfg(feature = "admin")] user: &User, other: String) -> String {
    other
}

fn main() {}
