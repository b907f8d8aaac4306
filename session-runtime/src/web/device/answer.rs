//! What a browser is answered that registers or proves a key: the tables that browsers act on, and nothing else. A refresh
//! that is answered 400, 401, 404, 409, 429 or with a redirect ends the binding in the browser for good; so whatever may
//! pass is a 503.

use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE, X_FRAME_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use super::super::cookies;
use super::super::problem;
use super::cookie::DeviceCookie;
use crate::backend::{BackendError, RecordKey};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::sessions::Core;

/// No challenge was answered.
const NEVER: Timestamp = Timestamp::from_millis(0);

const CHALLENGE: HeaderName = HeaderName::from_static("secure-session-challenge");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// An answer of the route with what every one of them has.
pub(super) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// What the browser is to keep fresh, by which it learns that the session is bound.
pub(super) fn registered(core: &Core, session: &RecordKey, device: &[u8; 16]) -> Result<Response, Error> {
    let Some((declared, cookie)) = core.device() else { return Ok(gone(session)) };
    let (token, challenge) = core.device_tokens(session, device, NEVER).unwrap_or_default();
    let DeviceCookie { header, attributes } = DeviceCookie::new(cookie, &token, declared.every)?;
    let except: Vec<_> =
        declared.except.iter().map(|path| json!({ "type": "exclude", "domain": "*", "path": path })).collect();
    let body = json!({
        "session_identifier": session.to_string(),
        "refresh_url": declared.path,
        "scope": { "include_site": false, "scope_specification": except },
        "credentials": [{ "type": "cookie", "name": cookie.name, "attributes": attributes }],
        // Without it a link in a mail arrives unproven. With a cookie of `SameSite=Lax` that is all it allows.
        "allowed_refresh_initiators": ["*"],
    });
    let mut response = json_answer(&body);
    cookies::append(response.headers_mut(), header);
    challenged(&mut response, session, &challenge);
    Ok(response)
}

/// The key was proved: a cookie that says so, and the challenge for the next time.
pub(super) fn refreshed(
    core: &Core,
    session: &RecordKey,
    device: &[u8; 16],
    answered: Timestamp,
) -> Result<Response, Error> {
    let Some((declared, cookie)) = core.device() else { return Ok(gone(session)) };
    let (token, challenge) = core.device_tokens(session, device, answered).unwrap_or_default();
    let cookie = DeviceCookie::new(cookie, &token, declared.every)?;
    let mut response = (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie.header)]).into_response();
    challenged(&mut response, session, &challenge);
    Ok(response)
}

/// A proof is asked for, which the browser sends at once.
pub(super) fn asked(core: &Core, session: &RecordKey, device: &[u8; 16]) -> Response {
    let (_, challenge) = core.device_tokens(session, device, NEVER).unwrap_or_default();
    let mut response = problem::unproven(StatusCode::FORBIDDEN, core);
    challenged(&mut response, session, &challenge);
    response
}

/// There is nothing to prove any more: the browser forgets the binding.
pub(super) fn gone(session: &RecordKey) -> Response {
    json_answer(&json!({ "session_identifier": session.to_string(), "continue": false }))
}

/// Not now. The browser goes on without a proof and asks again with its next request.
pub(super) fn later() -> Response {
    Error::Unavailable(BackendError::new("the device's key can't be looked at now")).into_response()
}

fn json_answer(body: &serde_json::Value) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.to_string()).into_response()
}

fn challenged(response: &mut Response, session: &RecordKey, challenge: &str) {
    // Without the `id` browsers end the session.
    let challenge = HeaderValue::try_from(format!("\"{challenge}\";id=\"{session}\"")).ok();
    response.headers_mut().extend(challenge.map(|challenge| (CHALLENGE, challenge)));
}
