//! # Options of the attribute
//!
//! `crate` is the path under which generated code finds this crate.
//!
//! Fix: write the path without quotes: `crate = my_sessions`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(crate = "sessions")]
struct User {
    name: String,
}

fn main() {}
