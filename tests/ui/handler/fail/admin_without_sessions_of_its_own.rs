//! # Guards
//!
//! The guard of a page for operators is asked about the session of whoever looks at it, so that it needs those sessions.
//!
//! Fix: `Admin::new(&users, |user: &User| user.is_admin)`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, admin::Admin};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

fn page(users: &Sessions<User>) -> axum::Router {
    Admin::new(|user: &User| user.is_admin).sessions("Users", users).router()
}

fn main() {}
