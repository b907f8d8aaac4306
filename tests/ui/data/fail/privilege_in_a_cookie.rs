//! # Field options
//!
//! A session in its cookie can't be made dead, so an old cookie would keep an old privilege.
//!
//! Fix: choose another backend.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("SESSION_KEYS"))]
struct User {
    #[session(privilege)]
    admin: bool,
}

fn main() {}
