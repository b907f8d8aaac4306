//! # State and router
//!
//! Only a type that derives `SessionData` has sessions.
//!
//! Fix: derive `Serialize`, `Deserialize` and `SessionData` for it.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Clone, axum::extract::FromRef)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
}

struct Cart {
    items: Vec<u64>,
}

#[session(protected)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {
    let _ = async || App {
        users: User::sessions().await.unwrap(),
        carts: Sessions::builder().ephemeral_key().open().await.unwrap(),
    };
}
