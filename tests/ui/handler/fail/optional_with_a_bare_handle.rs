//! # Access
//!
//! With `optional` there may be no session.
//!
//! Fix: write `Option<Session<User>>`, or `protected` to turn anonymous requests away.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(optional)]
async fn home(session: Session<User>) -> String {
    session.name.clone()
}

fn main() {}
