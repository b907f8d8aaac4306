//! # Guards
//!
//! What a guard refuses with is sent as a response.
//!
//! Fix: implement `IntoResponse` for the error, or return `bool`.

use axum::Json;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Young;

#[session(protected, guard = is_old)]
async fn home(user: &User) -> Json<u32> {
    Json(user.visits)
}

fn is_old(user: &User) -> Result<(), Young> {
    if user.visits > 9 { Ok(()) } else { Err(Young) }
}

fn main() {}
