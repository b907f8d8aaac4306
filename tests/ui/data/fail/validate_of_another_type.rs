//! # Validation and verification
//!
//! `validate` is given the data of the type that it stands on.
//!
//! Fix: take a borrow of that type.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(validate = check)]
struct User {
    name: String,
}

struct Cart;

fn check(_: &Cart) -> Result<(), session_runtime::Invalid> {
    Ok(())
}

fn main() {}
