//! # Cookies
//!
//! `SameSite` has three values.
//!
//! Fix: write `Strict`, `Lax` or `None`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(same_site = Stric))]
struct User {
    name: String,
}

fn main() {}
