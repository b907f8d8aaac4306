//! # Session parameters
//!
//! A `Session<User>` reads its data; each change has to be stored, so it is made where that happens.
//!
//! Fix: take `user: &mut User` and assign to its field, or write `session.update(|user| user.visits += 1).await?`.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn count(mut session: Session<User>) {
    session.visits += 1;
}

fn main() {}
