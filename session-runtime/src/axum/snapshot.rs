//! Sessions without `#[session]`: a snapshot for handlers, middleware and libraries.

use http::request::Parts;

use super::admission::{Denied, load, turn_away};
use super::problem::Rejection;
use super::state::HasSessions;
use crate::error::Error;
use crate::sessions::{SessionData, Sessions, Snapshot};

impl<T: SessionData> Sessions<T> {
    /// The session of a request, for middleware, WebSockets and libraries: `None` without a live one, or
    /// if the type's `verify` refuses it. Slides the idle timeout, as any read does.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down.
    pub async fn find(&self, parts: &Parts) -> Result<Option<Snapshot<T>>, Error> {
        match load(self, parts).await {
            Ok(found) => Ok(found),
            Err(Denied::Refused(_)) => Ok(None),
            Err(Denied::Error(error)) => Err(error),
        }
    }
}

/// What the derived `OptionalFromRequestParts` does.
///
/// # Errors
/// 503 if the backend is down.
pub async fn snapshot_optional<T: SessionData, S: HasSessions<T>>(
    parts: &mut Parts,
    state: &S,
) -> Result<Option<T>, Rejection> {
    let sessions = state.sessions();
    Ok(load(&sessions, parts).await?.and_then(|snapshot| sessions.copy(&snapshot)))
}

/// What the derived `FromRequestParts` does.
///
/// # Errors
/// What `missing` says without a session, 503 if the backend is down.
pub async fn snapshot<T: SessionData, S: HasSessions<T>>(parts: &mut Parts, state: &S) -> Result<T, Rejection> {
    match snapshot_optional(parts, state).await? {
        Some(data) => Ok(data),
        None => {
            let sessions = state.sessions();
            Err(Rejection::new(turn_away(&sessions, None, Some(parts)).await))
        }
    }
}
