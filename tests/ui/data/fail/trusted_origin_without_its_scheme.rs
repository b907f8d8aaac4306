//! # Cross-site requests
//!
//! An origin is a scheme, a host and a port: pages by `http` are others than those by `https`.
//!
//! Fix: write the scheme.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(trusted_origins = ["app.example"])]
struct User {
    name: String,
}

fn main() {}
