//! # State and router
//!
//! Each session type has its own `Sessions`, and the state has to hold each.
//!
//! Fix: add a field of type `Sessions<Cart>` to the state.

use axum::{Router, extract::FromRef, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<u64>,
}

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
}

#[session(or_default)]
async fn items(cart: &Cart) -> String {
    cart.items.len().to_string()
}

fn app(state: App) -> Router {
    Router::new().route("/items", get(items)).with_state(state)
}

fn main() {}
