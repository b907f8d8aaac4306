//! # Guards
//!
//! A guard answers yes or no, or with a response of its own.
//!
//! Fix: return `bool`, or `Result<(), impl IntoResponse>`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = visits)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn visits(user: &User) -> u32 {
    user.visits
}

fn main() {}
