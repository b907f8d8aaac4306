//! # The function
//!
//! To declare a session, its type derives `SessionData`.
//!
//! Fix: add the derive above `#[session(...)]`.

use session_runtime::session;

#[session(protected)]
struct Visitor;

fn main() {}
