//! # Guards
//!
//! An async guard is asked about the data and the request, and about what `state = ..` names.
//!
//! Fix: name the state, `state = Pool`.

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

#[session(protected, guard = async may_enter)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn may_enter(user: &User, _: &Parts, _: &Pool) -> bool {
    user.name == "root"
}

fn main() {}
