//! # Descriptions
//!
//! What you write in `security(...)` wins. This one says that a key is enough, and the handler turns such requests away.
//!
//! Fix: remove `security(...)`, or name the type's scheme in each alternative: `security(("key" = [], "user" = []))`.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[session(protected)]
#[utoipa::path(get, path = "/", security(("user" = []), ("key" = [])), responses((status = 200)))]
async fn home(user: &User) -> String {
    user.name.clone()
}

fn main() {}
