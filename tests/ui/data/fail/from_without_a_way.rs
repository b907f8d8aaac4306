//! # Versions and migration
//!
//! Records of the old type become the new one by `From`.
//!
//! Fix: write `impl From<UserV1> for User`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(version = 2, from = UserV1)]
struct User {
    name: String,
}

#[derive(Serialize, Deserialize, SessionData)]
struct UserV1 {
    nick: String,
}

fn main() {}
