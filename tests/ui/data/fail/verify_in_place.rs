//! # Validation and verification
//!
//! `verify` names a function, whose type can say that it borrows.
//!
//! Fix: write an `async fn` and name it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(verify = |user, parts| true)]
struct User {
    name: String,
}

fn main() {}
