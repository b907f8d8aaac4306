//! # State and router
//!
//! A middleware borrows its session only under `#[session(...)]`, as a handler does.
//!
//! Fix: write `#[session(protected)]` above the function, and `from_fn_with_state(users.clone(), greet)`.

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

async fn greet(user: &User, request: Request, next: Next) -> Response {
    println!("{}", user.name);
    next.run(request).await
}

fn app(users: Sessions<User>) -> Router {
    Router::new().route("/", get(async || "home")).layer(from_fn(greet)).with_state(users)
}

fn main() {
    let _ = app;
}
