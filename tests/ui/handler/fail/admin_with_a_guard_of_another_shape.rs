//! # Guards
//!
//! The guard of a page for operators takes the data of a session and answers `bool`, or a response of its own.
//!
//! Fix: `Admin::new(&users, |user: &User| user.is_admin)`; an async function is given to `Admin::new_with`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, admin::Admin};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

async fn is_admin(user: &User) -> bool {
    user.is_admin
}

fn page(users: &Sessions<User>) -> axum::Router {
    Admin::new(users, is_admin).sessions("Users", users).router()
}

fn main() {}
