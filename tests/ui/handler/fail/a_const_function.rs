//! # The function
//!
//! A handler runs for each request, not when the program is compiled.
//!
//! Fix: remove `const`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
const fn home(user: &User) -> u32 {
    user.visits
}

fn main() {}
