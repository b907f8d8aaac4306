//! # Guards
//!
//! The guard's third parameter is a borrow of what `state` names.
//!
//! Fix: write `state = Pool`.

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Clone)]
struct Pool;

#[session(protected, guard = async may_enter, state = u32)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn may_enter(user: &User, _: &Parts, _: &Pool) -> bool {
    user.name == "root"
}

fn main() {}
