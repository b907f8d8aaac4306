//! # Extractors and responses
//!
//! What a handler takes comes from the request or the state.
//!
//! Fix: wrap it in what it comes from, such as `State`, `Extension` or `Json`, or implement `FromRequestParts` for
//! it.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Theme;

#[session(protected)]
#[axum::debug_handler(state = Sessions<User>)]
async fn home(user: &User, theme: Theme) -> String {
    let Theme = theme;
    user.name.clone()
}

fn main() {}
