//! # Field options
//!
//! The `Debug` of a type with a secret shows its other fields.
//!
//! Fix: derive `Debug` for the field's type.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize)]
struct Address {
    city: String,
}

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    address: Address,
    #[session(secret)]
    token: String,
}

fn main() {}
