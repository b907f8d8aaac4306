//! # Guards
//!
//! `protect().guard(..)` takes a function of the data that answers at once.
//!
//! Fix: `protect().guard_with(state, may_enter)`.

use serde::{Deserialize, Serialize};
use session_runtime::{ProtectLayer, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

async fn may_enter(user: &User) -> bool {
    user.name == "root"
}

fn staff(users: &Sessions<User>) -> ProtectLayer<User> {
    users.protect().guard(may_enter)
}

fn main() {}
