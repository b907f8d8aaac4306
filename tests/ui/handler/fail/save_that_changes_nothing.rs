//! # Options of the handler
//!
//! `save = always` is about what an exclusive borrow changes; `Session::update` stores by itself.
//!
//! Fix: remove `save = always`, or take `&mut User`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, save = always)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
