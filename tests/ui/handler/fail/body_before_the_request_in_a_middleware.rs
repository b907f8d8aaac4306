//! # Extractors and responses
//!
//! Only one parameter can take the request's body, and in a middleware that is the one right before `Next`.
//!
//! Fix: take the form from the request, or give the form up.

use axum::{Form, extract::Request, middleware::Next, response::Response};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    visits: u32,
}

#[derive(Deserialize)]
struct Visit {
    times: u32,
}

#[session(protected)]
async fn count(user: &mut User, Form(visit): Form<Visit>, request: Request, next: Next) -> Response {
    user.visits += visit.times;
    next.run(request).await
}

fn main() {}
