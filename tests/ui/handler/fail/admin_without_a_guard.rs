//! # Guards
//!
//! A page for operators shows who is in and ends sessions: not everybody who is logged in may see it.
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
    Admin::new(users).sessions("Users", users).router()
}

fn main() {}
