//! # Owners and limits
//!
//! An owner is there in every value of the type; a field of a variant is not.
//!
//! Fix: put it in a struct, with the enum as another field.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
enum User {
    Guest,
    Known {
        #[session(owner)]
        id: u64,
    },
}

fn main() {}
