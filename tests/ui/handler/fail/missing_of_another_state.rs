//! # Options of the handler
//!
//! A `missing` handler beside `state` takes what that names, or nothing.
//!
//! Fix: write `state = Pool`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Clone)]
struct Pool;

#[session(protected, missing = sorry, state = u32)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn sorry(_: State<Pool>) -> &'static str {
    "sorry"
}

fn main() {}
