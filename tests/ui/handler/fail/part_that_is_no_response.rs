//! # Extractors and responses
//!
//! In a tuple the last is a response, and what comes before are its parts.
//!
//! Fix: return such types, for instance `(StatusCode, Json<T>)`.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Page;

#[session(protected)]
async fn home(user: &User) -> (StatusCode, Page) {
    assert!(!user.name.is_empty());
    (StatusCode::OK, Page)
}

fn main() {}
