//! # The function
//!
//! axum calls a handler as safe code.
//!
//! Fix: remove `unsafe`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async unsafe fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
