//! # When a session ends
//!
//! `on_end` names a function, which the guide can point at and a test can call.
//!
//! Fix: write an `async fn` and name it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = |user, reason| println!("{reason:?}"))]
struct User {
    name: String,
}

fn main() {}
