//! # Guards
//!
//! What stands behind `async` is an async function.
//!
//! Fix: write `async fn is_root`, or leave `async` out for a function of the data alone.

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, guard = async is_root)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn is_root(user: &User, _: &Parts) -> bool {
    user.name == "root"
}

fn main() {}
