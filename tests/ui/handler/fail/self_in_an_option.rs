//! # The function
//!
//! The runtime calls the guard and `missing` from a place that has another `Self`, or none.
//!
//! Fix: write the type's name, `Pages::is_root`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Pages;

impl Pages {
    fn is_root(user: &User) -> bool {
        user.name == "root"
    }

    #[session(protected, guard = Self::is_root)]
    async fn home(user: &User) -> String {
        user.name.clone()
    }
}

fn main() {}
