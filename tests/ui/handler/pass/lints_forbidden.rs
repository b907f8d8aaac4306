//! What the attribute writes is held to the user's own lints.
#![forbid(unsafe_code)]
#![deny(warnings, future_incompatible, keyword_idents, let_underscore, nonstandard_style, refining_impl_trait)]
#![deny(rust_2018_idioms, rust_2021_compatibility, rust_2024_compatibility, unused)]
#![deny(elided_lifetimes_in_paths, missing_copy_implementations, missing_debug_implementations, missing_docs)]
#![deny(single_use_lifetimes, trivial_casts, trivial_numeric_casts, unit_bindings, unnameable_types)]
#![deny(unreachable_pub, unused_import_braces, unused_lifetimes, unused_qualifications, unused_results)]
#![deny(variant_size_differences)]

use axum::{Json, Router, extract::Path, http::StatusCode, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};

/// A user.
#[derive(Debug, Default, Serialize, Deserialize, SessionData)]
pub struct User {
    /// How often it came.
    pub visits: u32,
    /// Its name.
    pub name: String,
}

/// A visit.
#[session(protected, guard = |user| user.visits < 9, wait = "1s", missing = redirect("/login"))]
pub async fn visit(user: &mut User, Path(times): Path<u32>, body: Json<Vec<u8>>) -> (StatusCode, String) {
    user.visits += times;
    (StatusCode::OK, format!("{} {}", user.visits, body.len()))
}

/// The entrance.
#[session(optional)]
pub async fn home(user: Option<&User>) -> &'static str {
    if user.is_some() { "again" } else { "welcome" }
}

/// A counter for everybody.
#[session(or_default)]
pub async fn count(user: &mut User) {
    user.visits += 1;
}

/// A handler of any state's type.
#[session(protected)]
pub async fn generic<T: Into<String> + Send>(user: &User, _: T) -> String {
    user.visits.to_string()
}

#[session(protected(User))]
async fn guarded() {}

#[session(optional)]
async fn login(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.start(User::default()).await
}

#[session(protected)]
async fn logout(session: Session<User>) -> Result<(), Error> {
    session.end().await
}

fn main() {
    let _: fn(Sessions<User>) -> Router = |sessions| {
        let routes = get(home).post(visit).put(login).delete(logout).options(guarded).patch(count);
        Router::new().route("/", routes).with_state(sessions)
    };
}
