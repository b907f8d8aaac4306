//! # Descriptions
//!
//! `impl_for` is what `#[session]` gives to utoipa, so that the runtime can add to what utoipa makes.
//!
//! Fix: remove it.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

struct Home;

#[session(protected)]
#[utoipa::path(get, path = "/", impl_for = Home, responses((status = 200)))]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
