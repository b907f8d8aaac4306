//! # The function
//!
//! axum gives a handler a fixed number of parameters.
//!
//! Fix: name each parameter.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async unsafe extern "C" fn home(user: &User, ...) -> String {
    user.name.clone()
}

fn main() {}
