//! # Session parameters
//!
//! `end` takes the session by value: what has ended is not there any more.
//!
//! Fix: read what is needed before the end.

use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn logout(session: Session<User>) -> Result<String, Error> {
    session.end().await?;
    Ok(session.name.clone())
}

fn main() {}
