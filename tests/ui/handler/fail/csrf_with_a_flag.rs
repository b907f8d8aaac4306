//! # Options of the handler
//!
//! What lets other sites in is a word that a reader can search for.
//!
//! Fix: write `csrf = off`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, csrf = false)]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

fn main() {}
