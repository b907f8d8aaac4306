//! # Responses without a session
//!
//! The runtime calls the handler, once for each request that has no session.
//!
//! Fix: name the handler: `missing = anonymous`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = anonymous())]
struct User {
    name: String,
}

async fn anonymous() {}

fn main() {}
