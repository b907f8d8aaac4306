//! # The type
//!
//! What is read back from a store is owned.
//!
//! Fix: write `String` instead of `&str`, `Vec<T>` instead of `&[T]`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: &'static str,
}

fn main() {}
