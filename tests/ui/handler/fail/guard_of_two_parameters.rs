//! # Guards
//!
//! A guard looks at one value, the session's data.
//!
//! Fix: take the data alone.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = has_visited)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn has_visited(user: &User, times: u32) -> bool {
    user.visits >= times
}

fn main() {}
