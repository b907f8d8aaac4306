//! # The function
//!
//! The attribute is for one handler.
//!
//! Fix: mark each handler of the module.

use session_runtime::session;

#[session(protected)]
mod pages {
    pub async fn home() {}
}

fn main() {}
