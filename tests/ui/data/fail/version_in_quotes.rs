//! # Versions and migration
//!
//! A version is a whole number, known when the program is compiled.
//!
//! Fix: write `version = 2`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = "2", from = UserV1)]
struct User {
    name: String,
}

#[derive(Serialize, Deserialize, SessionData)]
struct UserV1 {
    nick: String,
}

impl From<UserV1> for User {
    fn from(old: UserV1) -> Self {
        Self { name: old.nick }
    }
}

fn main() {}
