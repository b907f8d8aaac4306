//! # Descriptions
//!
//! `#[utoipa::path]` above `#[session]` has been expanded when `#[session]` is, so the description would lack the security
//! requirement and the answers.
//!
//! Fix: put `#[session(...)]` above `#[utoipa::path(...)]`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[utoipa::path(get, path = "/", responses((status = 200)))]
#[session(protected)]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
