//! # Session parameters
//!
//! There is one session of a type in a request, and two borrows of it would be one too many. Both places are shown.
//!
//! Fix: take it once; `&mut User` reads as well.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(reader: &User, writer: &mut User) -> String {
    writer.visits += 1;
    reader.name.clone()
}

fn main() {}
