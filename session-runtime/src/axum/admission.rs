//! Who may enter: from a request's headers to a session, or to the answer for those without one.

use std::sync::Arc;

use ::axum::body::Body;
use ::axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Request};

use super::cookies::{self, Presented};
use super::extract::Spec;
use super::problem::{self, Rejection};
use super::state::HasSessions;
use crate::error::Error;
use crate::guard::Access;
use crate::missing::Missing;
use crate::sessions::{Known, SessionData, Sessions, Snapshot};

/// The session that a request's token names; a bad token names none.
pub(super) fn identify<T: SessionData>(sessions: &Sessions<T>, headers: &HeaderMap) -> Option<Arc<Known<T>>> {
    match cookies::presented(headers, &sessions.cookie().name) {
        Presented::Nothing => None,
        Presented::Token(token) => {
            let known = sessions.identify(token);
            if known.is_none() {
                tracing::debug!(name: "session.refused", reason = "token", "a token was refused: forged, altered, expired or for another purpose");
            }
            known
        }
        Presented::Ambiguous => {
            tracing::debug!(name: "session.refused", reason = "ambiguous", "a request has several cookies of the session's name; none was used");
            None
        }
    }
}

/// Why a session could not be had.
pub(super) enum Denied {
    /// The backend could not be asked.
    Error(Error),
    /// `verify` gave an answer of its own.
    Refused(Response),
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Error(error) => error.into(),
            Denied::Refused(response) => Self::new(response),
        }
    }
}

/// The session that a request's token names, loaded and verified.
pub(super) async fn load<T: SessionData>(sessions: &Sessions<T>, parts: &Parts) -> Result<Option<Snapshot<T>>, Denied> {
    let Some(known) = identify(sessions, &parts.headers) else { return Ok(None) };
    let Some(snapshot) = sessions.load(&known).await.map_err(Denied::Error)? else { return Ok(None) };
    let verified = verify(&*snapshot, parts).await.map_err(Denied::Refused)?;
    Ok(verified.then_some(snapshot))
}

/// Asks the type's `verify`: `false` counts the session as none, `Err` is an answer of its own.
pub(super) async fn verify<T: SessionData>(data: &T, parts: &Parts) -> Result<bool, Response> {
    if !T::VERIFIES {
        return Ok(true);
    }
    match data.verify(parts).await {
        Ok(()) => Ok(true),
        Err(answer) => {
            tracing::info!(name: "session.refused", reason = "verify", "`verify` refused a session");
            answer.map_or(Ok(false), Err)
        }
    }
}

/// The answer to a stranger.
pub(super) async fn turn_away<T: SessionData>(
    sessions: &Sessions<T>,
    own: Option<Missing>,
    parts: Option<&Parts>,
) -> Response {
    let missing = own.unwrap_or_else(|| sessions.missing().clone());
    // A handler gets the request again, without its body.
    let parts = parts.filter(|_| missing.wants_request());
    let request = parts.map(|parts| Request::from_parts(parts.clone(), Body::empty()));
    match missing.answer(request).await {
        Ok(response) => response,
        Err(status) => problem::missing(status, &sessions.cookie().name),
    }
}

pub(super) async fn reject<M: Spec>(sessions: &Sessions<M::Data>, parts: &Parts) -> Rejection {
    Rejection::new(turn_away(sessions, M::missing(), Some(parts)).await)
}

/// Loads the session for a handler that only reads it, turns strangers away and asks the guard.
pub(super) async fn admit<M: Spec, S: HasSessions<M::Data>>(
    parts: &Parts,
    state: &S,
) -> Result<(Sessions<M::Data>, Option<Snapshot<M::Data>>), Rejection> {
    let sessions = state.sessions();
    let snapshot = load(&sessions, parts).await?;
    match &snapshot {
        Some(snapshot) => M::guard(snapshot).map_err(Rejection::new)?,
        None if M::ACCESS == Access::Protected => return Err(reject::<M>(&sessions, parts).await),
        None => {}
    }
    Ok((sessions, snapshot))
}
