//! # Transports
//!
//! The order of the list says which token decides; a second place for one says nothing.
//!
//! Fix: keep the first.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = [bearer, cookie, bearer])]
struct User {
    name: String,
}

fn main() {}
