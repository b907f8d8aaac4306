//! # Descriptions
//!
//! A description knows a session type by the name of its security scheme, by default the type's name in kebab case.
//!
//! Fix: give one of them another name: `#[session(scheme = "...")]`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(scheme = "user", cookie(name = "__Host-admin"))]
struct Admin {
    name: String,
}

#[session(protected)]
#[utoipa::path(get, path = "/", responses((status = 200)))]
async fn home(user: &User, admin: &Admin) -> String {
    format!("{} {}", user.name, admin.name)
}

fn main() {}
