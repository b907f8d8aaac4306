//! # Guards
//!
//! Only a session that can be bound to a device has one to look at.
//!
//! Fix: add `device_bound` to the type, or write a closure of one parameter.

use serde::{Deserialize, Serialize};
use session_runtime::{Device, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[session(protected, guard = |user, device| device != Device::Unbound || user.name == "root")]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
