//! # How a session is taken
//!
//! A session that travels in its cookie is at nobody's disposal but its client's: no two requests can take turns.
//!
//! Fix: take `&User`, change it with `Session::update`, or choose another backend, such as `redis`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("SESSION_KEYS"))]
struct User {
    visits: u32,
}

#[session(protected)]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

fn main() {}
