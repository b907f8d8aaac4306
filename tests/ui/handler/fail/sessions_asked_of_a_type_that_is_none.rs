//! # State and router
//!
//! Only a type that derives `SessionData` can be asked for its sessions.
//!
//! Fix: derive `Serialize`, `Deserialize` and `SessionData` for it, and import `SessionData`.

use axum::Router;
use serde::{Deserialize, Serialize};
use session_runtime::{OpenError, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

struct Cart {
    items: Vec<u64>,
}

#[session(protected)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn router() -> Result<Router, OpenError> {
    Ok(Router::new().route("/", axum::routing::get(home)).with_state(Cart::sessions().await?))
}

fn main() {}
