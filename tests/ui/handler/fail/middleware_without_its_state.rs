//! # State and router
//!
//! A middleware gets its sessions from the state that it is made with, and `from_fn` gives it none.
//!
//! Fix: write `from_fn_with_state(users.clone(), count)`.

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    visits: u32,
}

#[session(protected)]
async fn count(user: &mut User, request: Request, next: Next) -> Response {
    user.visits += 1;
    next.run(request).await
}

fn app(users: Sessions<User>) -> Router {
    Router::new().route("/", get(async || "home")).layer(from_fn(count)).with_state(users)
}

fn main() {
    let _ = app;
}
