//! # Options of the handler
//!
//! Requests of other sites are refused in every handler.
//!
//! Fix: remove the option.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[session(protected, csrf = on)]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

fn main() {}
