//! # Guards
//!
//! A guard answers at once; the type's `verify` may wait.
//!
//! Fix: remove `async`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = async |user| user.name == "root")]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
