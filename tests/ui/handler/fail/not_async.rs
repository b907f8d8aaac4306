//! # The function
//!
//! axum awaits its handlers.
//!
//! Fix: write `async fn`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
