//! # Session parameters
//!
//! Only a type that derives `SessionData` has a cookie and a place in a store.
//!
//! Fix: derive `Serialize`, `Deserialize` and `SessionData` for it.

use session_runtime::session;

struct Visitor {
    name: String,
}

#[session(protected)]
async fn home(visitor: &Visitor) -> String {
    visitor.name.clone()
}

fn main() {}
