//! # Options of the handler
//!
//! `touch` takes the word `off`, which a reader can search for, and no flag.
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
