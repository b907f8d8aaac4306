//! # Guards
//!
//! What `state = ..` names is the third parameter of an async guard.
//!
//! Fix: leave `state` out, or add the parameter.

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

#[session(protected, guard = async may_enter, state = Pool)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn may_enter(user: &User, _: &Parts) -> bool {
    user.name == "root"
}

fn main() {}
