//! # Extractors and responses
//!
//! A plain value could come from anywhere in the request.
//!
//! Fix: say where it comes from: `Path(id): Path<u64>`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn home(user: &User, id: u64) -> String {
    format!("{} {id}", user.name)
}

fn main() {}
