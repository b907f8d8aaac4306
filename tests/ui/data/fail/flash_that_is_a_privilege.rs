//! # Field options
//!
//! A flash is gone once it was read; what a session may do is not.
//!
//! Fix: keep one of the two.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[session(flash, privilege)]
    roles: Vec<String>,
}

fn main() {}
