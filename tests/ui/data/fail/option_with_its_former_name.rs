//! # Options of the attribute
//!
//! An option has one name. An earlier one is told with the present one.
//!
//! Fix: write the present name.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(renew_every = "15m")]
struct User {
    name: String,
}

fn main() {}
