//! # Options of the handler
//!
//! An exclusive borrow holds the session and stores what the handler changed: that is a use.
//!
//! Fix: remove `touch = off`, or take the data by `&`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    visits: u32,
}

#[session(protected, touch = off)]
async fn visit(user: &mut User) {
    user.visits += 1;
}

fn main() {}
