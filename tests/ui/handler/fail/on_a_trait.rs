//! # The function
//!
//! A handler is a free function.
//!
//! Fix: move it out of the trait, and mark it there.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
trait Pages {
    async fn home(user: &User) -> String;
}

fn main() {}
