//! # Versions and migration
//!
//! The type that `from` names is an older version, so this one is at least the second.
//!
//! Fix: write `version = 2`, or remove `from`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = 1, from = UserV1)]
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
