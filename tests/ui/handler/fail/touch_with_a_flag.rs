//! # Options of the handler
//!
//! What is no use of a session is a word that a reader can search for.
//!
//! Fix: write `touch = off`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[session(protected, touch = false)]
async fn is_alive(_user: &User) {}

fn main() {}
