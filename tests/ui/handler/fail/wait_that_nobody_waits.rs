//! # Options of the handler
//!
//! Only an exclusive borrow queues for its session.
//!
//! Fix: remove `wait`, or take `&mut User`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, wait = "2s")]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
