//! # State and router
//!
//! Only `#[session]` can set the cookie on the way out, so only handlers under it have the slot. A login or logout
//! without it would not reach the browser.
//!
//! Fix: put `#[session(optional)]` above the handler.

use axum::{Router, routing::post};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, SessionSlot, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

async fn login(slot: SessionSlot<User>, name: String) -> String {
    format!("{name} {}", slot.get().is_some())
}

fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/login", post(login)).with_state(sessions)
}

fn main() {}
