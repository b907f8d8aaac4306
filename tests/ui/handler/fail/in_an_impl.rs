//! # The function
//!
//! In an `impl` there is no place for what the attribute writes beside a handler that asks for more than a session.
//!
//! Fix: move it out of the `impl`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

impl User {
    #[session(protected, guard = |user| user.visits < 10)]
    async fn home(user: &User) -> String {
        user.name.clone()
    }
}

fn main() {}
