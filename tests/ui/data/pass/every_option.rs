//! Every option, at once.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = memory(capacity = 1_000),
    key = env("SESSION_KEYS"),
    cookie(
        name = env("SESSION_COOKIE", default = "__Secure-user"),
        path = "/app",
        domain = "example.org",
        same_site = Strict,
        secure,
        http_only = true,
        partitioned = false,
        persistent,
    ),
    idle = "30m",
    lifetime = env("SESSION_LIFETIME", default = "400d"),
    missing = redirect("/login"),
)]
struct User {
    name: String,
}

fn main() {
    let _ = (User { name: String::new() }.name, User::sessions());
}
