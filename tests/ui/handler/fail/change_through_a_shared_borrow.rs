//! # Session parameters
//!
//! A shared borrow is a snapshot, which nobody stores.
//!
//! Fix: take `&mut User`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn visit(user: &User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

fn main() {}
