//! # Options of the attribute
//!
//! `crate` is the path under which generated code finds this crate, where Cargo.toml or a macro gives it another name.
//!
//! Fix: write the name that Cargo.toml gives it, or remove the option.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(crate = sessions)]
struct User {
    name: String,
}

fn main() {}
