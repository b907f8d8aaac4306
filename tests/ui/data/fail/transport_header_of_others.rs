//! # Transports
//!
//! Browsers, proxies and servers set and read such headers by themselves.
//!
//! Fix: take a name of your own.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = header("Host"))]
struct User {
    name: String,
}

fn main() {}
