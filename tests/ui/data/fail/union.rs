//! # The type
//!
//! serde can't store a union.
//!
//! Fix: write a struct or an enum.

use session_runtime::SessionData;

#[derive(SessionData)]
union User {
    a: u8,
    b: i8,
}

fn main() {}
