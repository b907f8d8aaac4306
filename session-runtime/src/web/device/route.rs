//! The route where browsers register and prove keys.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode};

use super::super::csrf::{self, Site};
use super::super::problem;
use super::answer;
use crate::backend::RecordKey;
use crate::device::{Flaw, registers};
use crate::error::Error;
use crate::sessions::{Core, Refreshed, Registered, SessionData, Sessions};
use crate::telemetry;

/// The identifier of the session whose key is to be proved. A registration has none.
const SESSION_ID: HeaderName = HeaderName::from_static("sec-secure-session-id");
const RESPONSE: HeaderName = HeaderName::from_static("secure-session-response");

/// How long an answer may take: a browser gives up after 20 s, and takes that for a server that can't be reached.
const DEADLINE: Duration = Duration::from_secs(12);

/// A session type that says `device_bound`.
#[diagnostic::on_unimplemented(
    message = "sessions of `{Self}` are not bound to devices",
    label = "`{Self}` doesn't say `device_bound`",
    note = "add `#[session(device_bound)]` to `{Self}`; there is no device to ask for without it"
)]
pub trait DeviceBound: SessionData {
    /// Where browsers register and prove keys.
    const DEVICE_PATH: &'static str;
}

impl<T: SessionData> Sessions<T> {
    /// The one route that browsers need to bind sessions of this type to their device, at
    /// [`T::DEVICE_PATH`](DeviceBound::DEVICE_PATH). Merge it into the application's outermost router. Until it has been
    /// made, no browser is offered to register a key.
    ///
    /// No layer may stand before it that asks for a CSRF token, limits rates, or redirects to a login: an answer of 4xx ends
    /// the binding of whoever gets it. See [the guide](crate::guide::device_bound).
    #[doc = include_str!("../../docs/examples/sessions_device_routes.md")]
    pub fn device_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S>
    where
        T: DeviceBound,
    {
        let core = self.core().clone();
        core.mount_device_route();
        let answer = move |request: Request| {
            let core = core.clone();
            async move { answer(&core, &request.into_parts().0).await }
        };
        Router::new().route(T::DEVICE_PATH, post(answer))
    }
}

async fn answer(core: &Core, parts: &Parts) -> Response {
    let answered = tokio::time::timeout(DEADLINE, decide(core, parts)).await;
    answer::guarded(answered.unwrap_or_else(|_| answer::later()))
}

async fn decide(core: &Core, parts: &Parts) -> Response {
    // Browsers send it from the site's own pages alone, whoever began the request that is held.
    let site = Site { trusted: &[], public: core.public_origin(), secure: true };
    if csrf::is_cross_site(&parts.method, &parts.uri, &parts.headers, site) {
        return problem::cross_site();
    }
    let (Ok(session), Ok(proof)) = (only(&parts.headers, &SESSION_ID), only(&parts.headers, &RESPONSE)) else {
        return problem::bad_proof(StatusCode::BAD_REQUEST);
    };
    match session {
        None => register(core, proof).await,
        Some(session) => match RecordKey::parse(session) {
            Some(session) => refresh(core, &session, proof).await,
            None => problem::bad_proof(StatusCode::BAD_REQUEST),
        },
    }
}

/// A header's one value, bare or in quotes. `Err`: there are several, or it is no text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    let (first, None) = (values.next(), values.next()) else { return Err(()) };
    let Some(value) = first else { return Ok(None) };
    let value = value.to_str().map_err(drop)?;
    Ok(Some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)))
}

async fn register(core: &Core, proof: Option<&str>) -> Response {
    let refused = |status, reason| {
        telemetry::device_refused(core.session_type(), reason);
        problem::bad_proof(status)
    };
    let (key, challenge) = match proof.map(registers) {
        Some(Ok(registered)) => registered,
        Some(Err(Flaw::Signature)) => return refused(StatusCode::UNAUTHORIZED, "signature"),
        Some(Err(Flaw::Malformed)) | None => return refused(StatusCode::BAD_REQUEST, "malformed"),
    };
    let Some(offered) = core.device_offered(&challenge) else {
        return refused(StatusCode::UNAUTHORIZED, "challenge");
    };
    match core.register_device(offered, key).await {
        Ok(Registered::Bound(session)) => {
            telemetry::device_bound(core.session_type(), &session);
            answer::registered(core, &session, &key.hash()).unwrap_or_else(Error::into_response)
        }
        Ok(Registered::Taken) => refused(StatusCode::CONFLICT, "taken"),
        Ok(Registered::Gone) => refused(StatusCode::UNAUTHORIZED, "session"),
        Err(_) => answer::later(),
    }
}

async fn refresh(core: &Core, session: &RecordKey, proof: Option<&str>) -> Response {
    match core.refresh_device(session, proof).await {
        Ok(Refreshed::Proven(device, answered)) => {
            telemetry::device_proven(core.session_type(), session);
            answer::refreshed(core, session, &device, answered).unwrap_or_else(|_| answer::later())
        }
        Ok(Refreshed::Asked(device)) => answer::asked(core, session, &device),
        Ok(Refreshed::Gone) => answer::gone(session),
        Ok(Refreshed::Flawed) => {
            telemetry::device_refused(core.session_type(), "signature");
            problem::bad_proof(StatusCode::UNAUTHORIZED)
        }
        Err(_) => answer::later(),
    }
}
