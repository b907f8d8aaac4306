//! # Session parameters
//!
//! The attribute is there for a session.
//!
//! Fix: add a session parameter, or guard without one: `protected(User)`.

use session_runtime::session;

#[session(protected)]
async fn about() -> &'static str {
    "about"
}

fn main() {}
