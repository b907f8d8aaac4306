//! # Versions and migration
//!
//! Versions count upwards, or a record could be taken for another version's.
//!
//! Fix: count this version on, or correct the other's.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = 2, from = UserV1)]
struct User {
    name: String,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = 2, from = UserV0)]
struct UserV1 {
    nick: String,
}

impl From<UserV1> for User {
    fn from(old: UserV1) -> Self {
        Self { name: old.nick }
    }
}

#[derive(Serialize, Deserialize, SessionData)]
struct UserV0 {
    id: u64,
}

impl From<UserV0> for UserV1 {
    fn from(old: UserV0) -> Self {
        Self { nick: old.id.to_string() }
    }
}

fn main() {}
