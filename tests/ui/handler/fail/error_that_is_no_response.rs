//! # Extractors and responses
//!
//! The error of a handler is sent as a response, too.
//!
//! Fix: implement `IntoResponse` for it.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Broken;

#[session(protected)]
async fn home(user: &User) -> Result<String, Broken> {
    if user.visits > 9 { Err(Broken) } else { Ok(user.name.clone()) }
}

fn main() {}
