//! # State and router
//!
//! Only `#[session]` can set the cookie on the way out, so only handlers under it have the handle. Where the handler names
//! the state before, the compiler tells of a function whose parameter is another state: its name says what to write.
//!
//! Fix: write `#[session(optional)]` above the handler.

use axum::{
    Router,
    extract::{FromRef, State},
    routing::post,
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
}

async fn logout(_: State<App>, slot: SessionSlot<User>) -> Result<(), Error> {
    slot.end().await
}

fn app(app: App) -> Router {
    Router::new().route("/logout", post(logout)).with_state(app)
}

fn main() {}
