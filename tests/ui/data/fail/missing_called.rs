//! # Responses without a session
//!
//! The runtime calls the handler, once for each request that has no session.
//!
//! Fix: name the handler: `missing = stranger`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = stranger())]
struct User {
    name: String,
}

async fn stranger() {}

fn main() {}
