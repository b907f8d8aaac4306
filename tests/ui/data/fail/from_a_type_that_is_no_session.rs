//! # Versions and migration
//!
//! The old type is read from the store as it was written, so it is a session's type as well.
//!
//! Fix: derive `Serialize`, `Deserialize` and `SessionData` for it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = 2, from = UserV1)]
struct User {
    name: String,
}

struct UserV1 {
    nick: String,
}

impl From<UserV1> for User {
    fn from(old: UserV1) -> Self {
        Self { name: old.nick }
    }
}

fn main() {}
