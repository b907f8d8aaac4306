//! # Guards
//!
//! An async guard is a function, which borrows the data, the request and the state.
//!
//! Fix: remove `async`, or write an `async fn` and name it: `guard = async is_root`.

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
