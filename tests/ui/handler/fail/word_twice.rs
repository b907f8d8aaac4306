//! # Access
//!
//! One of the two says nothing; both places are shown.
//!
//! Fix: keep one of the two.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, protected)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
