//! # Extractors and responses
//!
//! axum gives a middleware what runs behind it as the last parameter.
//!
//! Fix: move `Next` to the end.

use axum::{extract::Request, middleware::Next, response::Response};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    visits: u32,
}

#[session(protected)]
async fn count(user: &mut User, next: Next, request: Request) -> Response {
    user.visits += 1;
    next.run(request).await
}

fn main() {}
