//! Answers of the page: their headers, and what is said of a failure.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use maud::Markup;

use super::handlers::Base;
use super::pages;
use super::words::several;
use crate::error::Error;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");

/// Nothing but the page's own style: no script, no frame around it, no form to elsewhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// What all answers have.
pub(super) async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`, under which a form's `Origin` is `null`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

pub(super) fn page(status: StatusCode, page: Markup) -> Response {
    (status, [(CONTENT_TYPE, HTML)], page.into_string()).into_response()
}

pub(super) fn style() -> Response {
    ([(CONTENT_TYPE, CSS)], include_str!("style.css")).into_response()
}

/// On to a page after a form was served.
pub(super) fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        // An address with which a request came, and what was sealed here.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) fn not_found(base: &Base) -> Response {
    let text = "There is no such page. It may have been of an older key, or of another type of sessions.";
    page(StatusCode::NOT_FOUND, pages::problem(base, "Not found", text))
}

/// What kind of failure it was, and nothing that the store said.
pub(super) fn kind(error: &Error) -> (&'static str, &'static str) {
    match error {
        Error::Unavailable(error) if error.is_late() => {
            ("The session store is unavailable", "It did not answer within the deadline.")
        }
        Error::Unavailable(_) => {
            ("The session store is unavailable", "It can't be reached, or answered with an error.")
        }
        Error::NotListed => (
            "Not all sessions may have ended",
            "The store has lost the list of the owner's sessions. Those that are known have ended. Repeat it later: others \
             become known when they are used.",
        ),
        Error::Busy => ("The owner's sessions are in use", "Others change the list of them. Try it again in a moment."),
        Error::Conflict
        | Error::LeaseLost
        | Error::Ended
        | Error::HeldByMiddleware
        | Error::Encode(_)
        | Error::ReadBack
        | Error::Invalid(_)
        | Error::Seal
        | Error::TooManySessions
        | Error::NoLifetime
        | Error::NoDomain
        | Error::OwnerChanged
        | Error::CookieTooLarge { .. } => ("That did not work", "The log of the application says more."),
    }
}

pub(super) fn failed(base: &Base, error: Error) -> Response {
    failed_after(base, error, 0)
}

/// The same after so many sessions have ended.
pub(super) fn failed_after(base: &Base, error: Error, ended: usize) -> Response {
    let ((title, text), is_down) = (kind(&error), matches!(error, Error::Unavailable(_)));
    let before =
        if ended > 0 { format!(" {} had ended before.", several(ended as u64, "session")) } else { String::new() };
    let log = if is_down { " The log of the application has the cause: session.backend_down." } else { "" };
    let status = error.into_response().status();
    let mut response = page(status, pages::problem(base, title, &format!("{text}{before}{log}")));
    if is_down {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
