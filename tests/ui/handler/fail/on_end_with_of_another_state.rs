//! # State and router
//!
//! `on_end_with(..)` takes an async function of the session, the reason and the state that it is given.
//!
//! Fix: take a reference to the type of the state.

use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

struct Pool;
struct Database;

async fn ended(user: User, _: EndReason, _: &Database) {
    println!("{}", user.name);
}

fn main() {
    Sessions::<User>::builder().on_end_with(Pool, ended);
}
