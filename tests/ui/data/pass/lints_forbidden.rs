//! What the derive writes is held to the user's own lints.
#![forbid(unsafe_code)]
#![deny(warnings, future_incompatible, keyword_idents, let_underscore, nonstandard_style, refining_impl_trait)]
#![deny(rust_2018_idioms, rust_2021_compatibility, rust_2024_compatibility, unused)]
#![deny(elided_lifetimes_in_paths, missing_copy_implementations, missing_debug_implementations, missing_docs)]
#![deny(single_use_lifetimes, trivial_casts, trivial_numeric_casts, unit_bindings, unnameable_types)]
#![deny(unreachable_pub, unused_import_braces, unused_lifetimes, unused_qualifications, unused_results)]
#![deny(variant_size_differences)]

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use session_runtime::{Invalid, SessionData};

/// A user.
#[derive(Debug, Serialize, Deserialize, SessionData)]
#[session(
    backend = redis(url = env("REDIS_URL")),
    key = env("SESSION_KEYS"),
    missing = redirect("/login"),
    verify = verify,
    validate = validate,
    version = 2,
    from = Guest,
)]
pub struct User {
    /// Its name.
    pub name: String,
}

/// A guest.
#[derive(Debug, Serialize, Deserialize, SessionData)]
pub struct Guest {
    /// What it was called.
    pub nick: String,
}

impl From<Guest> for User {
    fn from(guest: Guest) -> Self {
        Self { name: guest.nick }
    }
}

async fn verify(user: &User, _: &Parts) -> bool {
    !user.name.is_empty()
}

fn validate(user: &User) -> Result<(), Invalid> {
    if user.name.is_empty() { Err(Invalid::field("name", "is empty")) } else { Ok(()) }
}

fn main() {}
