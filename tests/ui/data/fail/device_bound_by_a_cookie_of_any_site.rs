//! # Device-bound sessions
//!
//! A proof is for the pages of the own site, and for links to it.
//!
//! Fix: write `same_site = Lax`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, cookie(same_site = None))]
struct User {
    name: String,
}

fn main() {}
