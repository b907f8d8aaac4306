//! # Session parameters
//!
//! `&mut` is an exclusive borrow. What is carried by a cookie is where its copies are, so nobody can lend it exclusively.
//!
//! Fix: take `&User` and change it with `Session::update`, or choose a backend with leases, such as `redis`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("SESSION_KEYS"))]
struct User {
    name: String,
    visits: u32,
}

#[session(protected)]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

fn main() {}
