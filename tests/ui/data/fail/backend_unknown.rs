//! # Backends
//!
//! Lower-case names are the backends of this crate.
//!
//! Fix: write the suggested name, or the path of a type of your own, as in `crate::Store`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memroy)]
struct User {
    name: String,
}

fn main() {}
