//! # Field options
//!
//! Once a flash was read it is empty, which an `Option` or a `Vec` can be.
//!
//! Fix: write `Option<String>` or `Vec<String>`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[session(flash)]
    notice: String,
}

fn main() {}
