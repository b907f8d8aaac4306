//! # Guards
//!
//! A `missing` handler gets the application's state if the attribute names it.
//!
//! Fix: write `state = Pool` beside `missing`.

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

#[session(protected, missing = sorry)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn sorry(_: State<Pool>) -> &'static str {
    "sorry"
}

fn main() {}
