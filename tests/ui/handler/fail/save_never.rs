//! # Options of the handler
//!
//! A handler that is not to change its session borrows it by `&`.
//!
//! Fix: take `&User`, or remove `save = never`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, save = never)]
async fn home(user: &mut User) -> String {
    user.visits += 1;
    user.name.clone()
}

fn main() {}
