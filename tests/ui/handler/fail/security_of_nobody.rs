//! # Descriptions
//!
//! `security(())` says that no authentication is needed.
//!
//! Fix: remove it, or write `optional` and take an `Option<&User>`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[session(protected)]
#[utoipa::path(get, path = "/", security(()), responses((status = 200)))]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
