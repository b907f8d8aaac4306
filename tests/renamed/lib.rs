//! The runtime is `sess` in this package's Cargo.toml, and `crate = sess` says so.
//!
//! `cargo clippy` holds what the macros write to every lint of clippy's that is not against another one.
#![deny(clippy::pedantic, clippy::nursery, clippy::cargo, missing_docs, warnings)]
#![deny(
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::clone_on_ref_ptr,
    clippy::default_numeric_fallback,
    clippy::else_if_without_else,
    clippy::expect_used,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::indexing_slicing,
    clippy::let_underscore_untyped,
    clippy::missing_assert_message,
    clippy::missing_docs_in_private_items,
    clippy::missing_inline_in_public_items,
    clippy::mod_module_files,
    clippy::panic,
    clippy::partial_pub_fields,
    clippy::pattern_type_mismatch,
    clippy::pub_use,
    clippy::same_name_method,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::single_call_fn,
    clippy::std_instead_of_alloc,
    clippy::string_add,
    clippy::todo,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]
// These are about the package and about what a user writes.
#![allow(
    clippy::cargo_common_metadata,
    clippy::multiple_crate_versions,
    clippy::missing_inline_in_public_items,
    clippy::exhaustive_structs,
    clippy::single_call_fn
)]

use core::future::ready;

use axum::Router;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use sess::{Error, Invalid, Session, SessionData, SessionSlot, Sessions, session};

/// A user.
#[derive(Clone, Debug, Default, Serialize, Deserialize, SessionData)]
#[session(
    crate = sess,
    backend = memory(capacity = 100),
    cookie(name = "__Host-renamed"),
    idle = "10m",
    missing = anonymous,
    verify = verify,
    validate = validate,
    version = 2,
    from = Guest
)]
pub struct User {
    /// How often it came.
    pub visits: u32,
}

/// What users were before.
#[derive(Clone, Debug, Serialize, Deserialize, SessionData)]
#[session(crate = ::sess)]
pub struct Guest {
    /// How often it came.
    pub times: u32,
}

impl From<Guest> for User {
    fn from(guest: Guest) -> Self {
        Self { visits: guest.times }
    }
}

/// Answers who has no session.
async fn anonymous() -> StatusCode {
    ready(StatusCode::IM_A_TEAPOT).await
}

/// Whether a user may be used by a request.
async fn verify(user: &User, parts: &Parts) -> bool {
    ready(user.visits < 100 && !parts.uri.path().is_empty()).await
}

/// Whether a user is one.
fn validate(user: &User) -> Result<(), Invalid> {
    if user.visits < 1000 { Ok(()) } else { Err(Invalid::field("visits", "is too large")) }
}

/// Starts a session.
#[session(optional, crate = sess)]
async fn login(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.start(User { visits: 1 }).await
}

/// Counts a visit.
#[session(protected, guard = |user| user.visits < 9, wait = "1s", crate = sess)]
async fn visit(user: &mut User) -> String {
    user.visits = user.visits.saturating_add(1);
    user.visits.to_string()
}

/// Says how many visits were counted.
#[session(or_default, crate = ::sess)]
async fn home(user: &User) -> String {
    user.visits.to_string()
}

/// Ends the session.
#[session(protected, missing = status(404), crate = sess)]
async fn logout(held: Session<User>) -> Result<(), Error> {
    held.end().await
}

/// An application of renamed sessions.
pub fn app(sessions: Sessions<User>) -> Router {
    Router::new().route("/", get(home).post(login).put(visit).delete(logout)).with_state(sessions)
}

#[cfg(test)]
mod tests {
    //! The handlers do what they say.
    #![allow(clippy::unwrap_used, clippy::absolute_paths, clippy::missing_docs_in_private_items)]

    use axum::body::Body;
    use axum::http::header::{COOKIE, SET_COOKIE};
    use axum::http::{Method, Request};
    use axum::response::Response;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(router: &Router, method: Method, cookie: &str) -> Response {
        let request = Request::builder().method(method).uri("/").header(COOKIE, cookie).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn sessions_work_under_another_name() {
        let router = app(User::sessions().await.unwrap());
        assert_eq!(ask(&router, Method::PUT, "").await.status(), StatusCode::IM_A_TEAPOT, "who has no session");
        assert_eq!(ask(&router, Method::DELETE, "").await.status(), StatusCode::NOT_FOUND, "a handler's own answer");

        let answer = ask(&router, Method::POST, "").await;
        let set = answer.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
        let cookie = set.split(';').next().unwrap();
        assert!(cookie.starts_with("__Host-renamed="), "{cookie}");
        let visit = ask(&router, Method::PUT, cookie).await;
        let body = axum::body::to_bytes(visit.into_body(), 100).await.unwrap();
        assert_eq!(body, "2", "one visit more");
        assert_eq!(ask(&router, Method::DELETE, cookie).await.status(), StatusCode::OK, "the end");
        assert_eq!(ask(&router, Method::PUT, cookie).await.status(), StatusCode::IM_A_TEAPOT, "after the end");
    }
}
