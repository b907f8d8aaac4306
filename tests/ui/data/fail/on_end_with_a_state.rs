//! # When a session ends
//!
//! The state is given to the builder, which the attribute knows nothing of.
//!
//! Fix: give the function to `on_end_with(state, ended)` of the builder, and leave `on_end` out.

use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, SessionData};

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = ended)]
struct User {
    name: String,
}

struct Database;

async fn ended(user: User, _: EndReason, _: &Database) {
    println!("{}", user.name);
}

fn main() {}
