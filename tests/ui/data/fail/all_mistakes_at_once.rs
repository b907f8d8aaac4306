//! # Several mistakes at once
//!
//! Every mistake of one declaration is told in one go.
//!
//! Fix: each as its message says.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = redis(urll = env("REDIS_URL")),
    key = "0123",
    cookie(name = "__Host-user", path = "/app", same_site = Sometimes),
    idle = 30,
    lifetime = "soon",
    colour = red,
    missing = status(302),
    version = 2,
)]
struct User {
    name: String,
}

fn main() {}
