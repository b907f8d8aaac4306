//! # State and router
//!
//! A handler borrows its session only under `#[session(...)]`, which makes an extractor of the borrow.
//!
//! Fix: write `#[session(protected)]` above the handler.

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {
    let _: Router<Sessions<User>> = Router::new().route("/", get(home));
}
