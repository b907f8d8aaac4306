//! # Whose the session is
//!
//! The owner is stored with the session, and its sessions are found by its JSON.
//!
//! Fix: derive `Serialize` and `Deserialize` for the owner's type.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

struct Id(u64);

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[session(owner)]
    id: Id,
}

fn main() {}
