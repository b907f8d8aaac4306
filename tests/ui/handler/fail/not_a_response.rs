//! # Extractors and responses
//!
//! axum sends what implements `IntoResponse`.
//!
//! Fix: return such a type, for instance `Json(data)`.

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Page;

#[session(protected)]
async fn home(user: &User) -> Page {
    assert!(!user.name.is_empty());
    Page
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(home)).with_state(sessions)
}

fn main() {}
