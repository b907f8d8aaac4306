//! # Versions and migration
//!
//! The version tells a record of the new type from one of the old.
//!
//! Fix: add `version = 2`, or one more than the old type's.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(from = UserV1)]
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
