//! # Several mistakes at once
//!
//! After a mistake the handler is still there, so that its routes stay quiet, and its body is still checked.
//!
//! Fix: as the one message says.

use axum::{Form, Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: Option<&User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

#[session(protected)]
async fn visit(user: &mut User, Form(times): Form<u32>) -> String {
    user.visits += times;
    user.visits.to_string()
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(home).post(visit)).route("/again", get(home)).with_state(sessions)
}

fn main() {}
