//! # Session parameters
//!
//! A session by value could be neither stored nor ended. How it is taken says what happens to it: a borrow reads or
//! changes it, `Session<User>` rotates or ends it.
//!
//! Fix: write `&User`, `&mut User` or `Session<User>`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: User) -> String {
    user.name
}

fn main() {}
