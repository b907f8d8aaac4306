//! # Validation and verification
//!
//! Invalid data is told with the fields at fault.
//!
//! Fix: return `Result<(), Invalid>`, or an error that becomes `Invalid`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(validate = check)]
struct User {
    name: String,
}

fn check(user: &User) -> bool {
    !user.name.is_empty()
}

fn main() {}
