//! # Guards
//!
//! The closure is given the data, so that its fields are known.
//!
//! Fix: correct the field.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = |user| user.nane == "root")]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
