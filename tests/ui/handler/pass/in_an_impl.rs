//! Handlers that ask for a session and nothing else can stand in an `impl`, where they take no `self`.

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Pages;

impl Pages {
    #[session(protected)]
    async fn home(user: &User) -> String {
        user.name.clone()
    }

    #[session(protected)]
    async fn visit(user: &mut User) -> String {
        user.visits += 1;
        user.visits.to_string()
    }
}

#[allow(dead_code)]
fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(Pages::home).post(Pages::visit)).with_state(sessions)
}

fn main() {}
