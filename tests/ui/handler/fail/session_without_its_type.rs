//! # Session parameters
//!
//! Under `#[session]` a `Session` is always somebody's: the type says whose. Other libraries have a `Session` without a
//! type, which is left over where an application moves from one to the other.
//!
//! Fix: write `Session<User>`, or take the other library's in a handler without `#[session]`.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[session(protected)]
async fn log_out(session: Session) -> &'static str {
    "goodbye"
}

fn main() {}
