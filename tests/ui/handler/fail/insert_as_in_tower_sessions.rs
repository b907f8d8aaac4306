//! # Session parameters
//!
//! A session is a value of its type and no map: what it holds is a field.
//!
//! Fix: add a field for it and assign it through `&mut User`; for keys that are not known beforehand, a field of type
//! `HashMap<String, serde_json::Value>`.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn count(session: Session<User>) {
    session.insert("visits", 1).await;
}

fn main() {}
