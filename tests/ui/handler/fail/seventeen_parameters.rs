//! # The function
//!
//! axum gives a handler at most sixteen parameters.
//!
//! Fix: take several as a tuple.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

type H = axum::http::HeaderMap;

#[session(protected)]
#[rustfmt::skip]
async fn home(user: &User, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H) -> String {
    user.name.clone()
}

fn main() {}
