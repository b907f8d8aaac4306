//! Refusals as `application/problem+json` (RFC 9457).
//!
//! Each keeps beside its body what it says, so that a browser can be given a page of the same words where the request is
//! known: see [`ProblemFormat`].

use std::fmt;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use super::problem_format::{ProblemFormat, ProblemText};
use super::problem_kind::ProblemKind;
use super::transport;
use super::vary::vary;
use crate::error::Error;
use crate::invalid::Invalid;
use crate::sessions::Core;

/// Data that breaks its type's rules, with each field at fault.
fn unprocessable(invalid: &Invalid) -> Response {
    let errors: Vec<_> =
        invalid.fields().map(|(field, reason)| serde_json::json!({ "field": field, "detail": reason })).collect();
    let extra = [("errors", serde_json::Value::from(errors))];
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let mut response =
        extended(status, ProblemKind::Invalid, "The session's data is not valid", "Nothing was changed.", extra);
    let items = invalid.fields().map(|(field, reason)| format!("{field}: {reason}"));
    if let Some(text) = response.extensions_mut().get_mut::<ProblemText>() {
        text.items = items.collect();
    }
    response
}

/// A problem's answer. The body says what a client can use and nothing of the store.
pub(super) fn problem(status: StatusCode, kind: ProblemKind, title: &str, detail: &str) -> Response {
    extended(status, kind, title, detail, [])
}

fn extended<const N: usize>(
    status: StatusCode,
    kind: ProblemKind,
    title: &str,
    detail: &str,
    extra: [(&str, serde_json::Value); N],
) -> Response {
    let mut body = serde_json::json!({
        "type": kind.uri(),
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    for (name, value) in extra {
        body[name] = value;
    }
    let body = body.to_string();
    let text = ProblemText::new(title, detail, body.len());
    // What is refused now may be granted with the next request.
    let headers = [(CONTENT_TYPE, PROBLEM_JSON), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let mut response = (status, headers, body).into_response();
    response.extensions_mut().insert(text);
    response
}

pub(super) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A fault of the application: the detail names the event that tells its developers more.
fn internal(title: &str, detail: &str) -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, ProblemKind::Internal, title, detail)
}

/// No live session where one is needed.
pub(super) fn missing(status: StatusCode, core: &Core) -> Response {
    let mut response =
        problem(status, ProblemKind::Missing, "Authentication required", "Log in, then send the request again.");
    if status == StatusCode::UNAUTHORIZED {
        transport::challenge(core, response.headers_mut());
    }
    response
}

/// A live session whose person proved themselves too long ago. The limit is told in seconds, as `max_age` in
/// RFC 9470.
pub(super) fn stale(fresh: Duration, core: &Core) -> Response {
    let (title, detail) = (
        "Recent authentication required",
        "Confirm who you are, for example with your password, then send the request again.",
    );
    let extra = [("max_age", fresh.as_secs().into())];
    let mut response = extended(StatusCode::UNAUTHORIZED, ProblemKind::Stale, title, detail, extra);
    transport::challenge(core, response.headers_mut());
    response
}

/// A session that is bound to a device, in a request that does not prove it.
pub(super) fn unproven(status: StatusCode, core: &Core) -> Response {
    let detail = "The session is bound to a device, and this request does not come from it. Log in again.";
    let mut response = problem(status, ProblemKind::DeviceUnproven, "Proof of the device required", detail);
    if status == StatusCode::UNAUTHORIZED {
        transport::challenge(core, response.headers_mut());
    }
    response
}

/// A session that has to be bound to a device, and is not.
pub(super) fn unbound(status: StatusCode) -> Response {
    let detail = "This needs a browser that binds sessions to its device.";
    problem(status, ProblemKind::DeviceUnbound, "Device-bound session required", detail)
}

/// A registration or a proof of a device that can't be used.
#[cfg_attr(not(feature = "device-bound"), expect(dead_code, reason = "nobody sends one"))]
pub(super) fn bad_proof(status: StatusCode) -> Response {
    problem(status, ProblemKind::DeviceProof, "Device proof refused", "The device's proof can't be used.")
}

/// A token that can't be used, under `invalid = reject`.
pub(super) fn bad_token() -> Response {
    problem(
        StatusCode::BAD_REQUEST,
        ProblemKind::BadToken,
        "Session token refused",
        "The token is not valid. Log in again.",
    )
}

/// Another site's page may have made the request.
pub(super) fn cross_site() -> Response {
    let detail = "The request seems to come from another site's page. Nothing was changed. Send it from this site.";
    problem(StatusCode::FORBIDDEN, ProblemKind::CrossSite, "Cross-site request refused", detail)
}

/// The host of the request is none of the application's.
pub(super) fn misdirected() -> Response {
    let detail = "This application has no sessions at this host. Nothing was changed.";
    problem(StatusCode::MISDIRECTED_REQUEST, ProblemKind::Misdirected, "Host not served", detail)
}

/// A middleware of this request holds what its handler asks for.
pub(super) fn held_by_middleware() -> Response {
    internal(
        "The session can't be changed here",
        "Nothing was changed. The log has the cause: session.held_by_middleware.",
    )
}

/// A guard said no.
pub(super) fn forbidden() -> Response {
    problem(
        StatusCode::FORBIDDEN,
        ProblemKind::Forbidden,
        "Permission denied",
        "This session is not allowed to do that.",
    )
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let retry = |mut response: Response| {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        };
        match self {
            Self::Unavailable(ref error) if error.is_unconfirmed() => retry(problem(
                StatusCode::SERVICE_UNAVAILABLE,
                ProblemKind::Unavailable,
                "Sessions are unavailable",
                "The session store did not confirm this change in time: it may have been made or not. Load the page again \
                 before you repeat it.",
            )),
            Self::Unavailable(_) => retry(problem(
                StatusCode::SERVICE_UNAVAILABLE,
                ProblemKind::Unavailable,
                "Sessions are unavailable",
                "Send the request again in a moment; the session is not lost.",
            )),
            Self::Conflict => problem(
                StatusCode::CONFLICT,
                ProblemKind::Conflict,
                "The session was changed by another request",
                "This request's change was not stored. Load the page again and repeat it.",
            ),
            Self::LeaseLost => problem(
                StatusCode::CONFLICT,
                ProblemKind::LeaseLost,
                "The exclusive use of the session ran out",
                "This request's change was not stored, and no other request has changed the session. Load the page again \
                 and repeat it.",
            ),
            Self::Ended => problem(
                StatusCode::CONFLICT,
                ProblemKind::Ended,
                "The session has ended",
                "It ended while this request was using it; this request's change was not stored.",
            ),
            Self::Busy => retry(problem(
                StatusCode::CONFLICT,
                ProblemKind::Busy,
                "The session is in use",
                "Other requests are using the session. Send this one again in a moment.",
            )),
            // Told where it is found.
            Self::HeldByMiddleware => held_by_middleware(),
            Self::Encode(ref source) => {
                event!(error, "session.unencodable", why = ?source.classify(), "the session's data can't be written as JSON");
                internal(
                    "The session can't be stored",
                    "Nothing was changed. The log has the cause: session.unencodable.",
                )
            }
            Self::Invalid(invalid) => unprocessable(&invalid),
            Self::Seal => {
                event!(error, "session.unsealable", "the session's data can't be sealed");
                internal(
                    "The session can't be stored",
                    "Nothing was changed. The log has the cause: session.unsealable.",
                )
            }
            Self::TooManySessions => problem(
                StatusCode::CONFLICT,
                ProblemKind::TooManySessions,
                "Session limit reached",
                "End one of the other sessions, then log in again.",
            ),
            Self::NotListed => problem(
                StatusCode::CONFLICT,
                ProblemKind::NotListed,
                "Not all sessions may have ended",
                "Those that are known have ended. Repeat it later: others become known when they are used.",
            ),
            Self::NoLifetime => {
                event!(
                    error,
                    "session.no_lifetime",
                    "a login gave its session a lifetime or an idle timeout of less than a second"
                );
                internal(
                    "The session can't be started",
                    "Nothing was changed. The log has the cause: session.no_lifetime.",
                )
            }
            Self::NoDomain => {
                event!(
                    error,
                    "session.no_domain",
                    "a session has no domain for its cookie, or its host is none of the application's"
                );
                internal("The session has no domain", "Nothing was changed. The log has the cause: session.no_domain.")
            }
            // Told with its cause where it is found.
            Self::OwnerChanged => internal(
                "The session can't be stored",
                "Nothing was changed. The log has the cause: session.owner_changed.",
            ),
            Self::ReadBack => internal(
                "The session can't be stored",
                "Nothing was changed. The log has the cause: session.not_read_back.",
            ),
            Self::CookieTooLarge { size } => {
                event!(error, "session.cookie_too_large", size, "the session's cookie is too large to send");
                internal(
                    "The session can't be sent",
                    "Its cookie is too large. The log has the size: session.cookie_too_large.",
                )
            }
        }
    }
}

/// Why a request was refused before its handler ran: a response, ready to send.
pub struct Rejection(Box<Response>);

impl Rejection {
    /// A refusal of a request, which depends on its token.
    pub(super) fn new(core: &Core, parts: &Parts, mut response: Response) -> Self {
        vary(core, response.headers_mut());
        ProblemFormat::of(&parts.headers).apply(&mut response);
        Self(Box::new(response))
    }
}

impl From<Error> for Rejection {
    /// The error's own answer. It names nothing that it depends on: which session type it is about isn't known here, and
    /// no cache may keep it anyway.
    fn from(error: Error) -> Self {
        Self(Box::new(error.into_response()))
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rejection({})", self.0.status())
    }
}
