//! # Responses without a session
//!
//! `missing = path` names an axum handler without state.
//!
//! Fix: write an `async fn` of extractors that answers with a response.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = anonymous)]
struct User {
    name: String,
}

fn anonymous(code: u16) -> u16 {
    code
}

fn main() {}
