//! # State and router
//!
//! Only `#[session]` can set the cookie on the way out, so only handlers under it have the handle.
//!
//! Fix: put `#[session(protected)]` above `#[debug_handler]`.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[axum::debug_handler(state = Sessions<User>)]
async fn home(session: Session<User>) -> String {
    session.name.clone()
}

fn main() {}
