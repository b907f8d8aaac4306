//! # Guards
//!
//! A guard that is not async is asked about the data alone.
//!
//! Fix: make it async, and name it by `guard = async may_enter`.

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = may_enter)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn may_enter(user: &User, _: &Parts) -> bool {
    user.name == "root"
}

fn main() {}
