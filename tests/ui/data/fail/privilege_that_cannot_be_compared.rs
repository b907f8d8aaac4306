//! # Field options
//!
//! Whether a privilege has changed is told by its JSON.
//!
//! Fix: derive `serde::Serialize` for its type.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

struct Rights;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    #[session(privilege)]
    #[serde(skip, default = "no_rights")]
    rights: Rights,
}

fn no_rights() -> Rights {
    Rights
}

fn main() {}
