//! # Validation and verification
//!
//! Requests move between threads, and so does what is asked about them.
//!
//! Fix: let go of what isn't `Send` before the `.await`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(verify = is_active)]
struct User {
    name: String,
}

async fn is_active(user: &User, _: &axum::http::request::Parts) -> bool {
    let name = std::rc::Rc::new(user.name.clone());
    std::future::ready(()).await;
    !name.is_empty()
}

fn main() {}
