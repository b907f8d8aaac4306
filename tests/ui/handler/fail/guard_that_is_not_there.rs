//! # Guards
//!
//! The name is looked up where the handler is.
//!
//! Fix: import it, or write its path.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = is_root)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
