//! # The function
//!
//! A handler is a free function.
//!
//! Fix: take what it needs from `State`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Pages;

impl Pages {
    #[session(protected)]
    async fn home(&self, user: &User) -> String {
        user.name.clone()
    }
}

fn main() {}
