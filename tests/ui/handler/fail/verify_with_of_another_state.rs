//! # Guards
//!
//! `verify_with(..)` takes an async function of the data, the request's parts and the state that it is given.
//!
//! Fix: take a reference to the type of the state.

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use session_runtime::{Builder, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Pool;

async fn is_active(user: &User, _: &Parts, _: &u32) -> bool {
    !user.name.is_empty()
}

fn users() -> Builder<User> {
    Sessions::<User>::builder().verify_with(Pool, is_active)
}

fn main() {}
