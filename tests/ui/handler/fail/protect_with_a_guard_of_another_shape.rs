//! # Guards
//!
//! `protect().guard_with(..)` takes an async function of the data, the request's parts and the state.
//!
//! Fix: add the parameter.

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use session_runtime::{ProtectLayer, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Pool;

async fn may_enter(user: &User, _: &Parts) -> bool {
    user.name == "root"
}

fn staff(users: &Sessions<User>) -> ProtectLayer<User> {
    users.protect().guard_with(Pool, may_enter)
}

fn main() {}
