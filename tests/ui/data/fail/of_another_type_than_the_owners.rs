//! # Owners and limits
//!
//! Sessions are found by a value of the owner's type, or one that it can be borrowed as (`str` for `String`).
//!
//! Fix: give `of` what the marked field holds.

use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[session(owner)]
    id: u64,
}

async fn end(users: Sessions<User>) -> Result<usize, Error> {
    users.of("ann").end_all().await
}

fn main() {}
