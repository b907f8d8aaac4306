//! # State and router
//!
//! Only sessions that are bound to devices need their route.
//!
//! Fix: add `device_bound` to the type, or remove the route.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

fn router(users: &Sessions<User>) -> axum::Router {
    axum::Router::new().merge(users.device_routes())
}

fn main() {
    let _ = router;
}
