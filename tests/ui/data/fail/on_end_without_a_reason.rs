//! # When a session ends
//!
//! `on_end` is given the data and the reason.
//!
//! Fix: take both.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = ended)]
struct User {
    name: String,
}

async fn ended(user: User) {
    println!("{}", user.name);
}

fn main() {}
