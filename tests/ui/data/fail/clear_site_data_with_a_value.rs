//! # Options of the attribute
//!
//! `clear_site_data` is on where it stands.
//!
//! Fix: write `clear_site_data` alone, or remove it.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(clear_site_data = true)]
struct User {
    name: String,
}

fn main() {}
