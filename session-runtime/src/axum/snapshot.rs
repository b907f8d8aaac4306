//! Sessions without `#[session]`: a snapshot for handlers, middleware and libraries.

use std::future::Future;

use http::request::Parts;

use super::admission::{Denied, load, turn_away};
use super::problem::Rejection;
use super::state::HasSessions;
use crate::error::Error;
use crate::sessions::{SessionData, Sessions, Snapshot};

impl<T: SessionData> Sessions<T> {
    /// The session of a request, for middleware, WebSockets and libraries: `None` without a live one, or
    /// if the type's `verify` refuses it or its token can't be used. Slides the idle timeout, as any read does.
    /// Whether another site made the request is not asked here.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down.
    pub async fn find(&self, parts: &Parts) -> Result<Option<Snapshot<T>>, Error> {
        match load(self, parts, false).await {
            Ok((found, _)) => Ok(found),
            Err(Denied::Refused(_)) => Ok(None),
            Err(Denied::Error(error)) => Err(error),
        }
    }
}

/// What the derived `OptionalFromRequestParts` does.
///
/// # Errors
/// 503 if the backend is down.
pub fn snapshot_optional<T: SessionData, S: HasSessions<T>>(
    parts: &mut Parts,
    state: &S,
) -> impl Future<Output = Result<Option<T>, Rejection>> + Send {
    let sessions = state.sessions();
    async move { find(&sessions, parts).await }
}

/// What the derived `FromRequestParts` does.
///
/// # Errors
/// What `missing` says without a session, 503 if the backend is down.
pub fn snapshot<T: SessionData, S: HasSessions<T>>(
    parts: &mut Parts,
    state: &S,
) -> impl Future<Output = Result<T, Rejection>> + Send {
    let sessions = state.sessions();
    async move {
        match find(&sessions, parts).await? {
            Some(data) => Ok(data),
            None => Err(Rejection::new(&sessions, turn_away(&sessions, None, Some(parts)).await)),
        }
    }
}

async fn find<T: SessionData>(sessions: &Sessions<T>, parts: &Parts) -> Result<Option<T>, Rejection> {
    let loaded = load(sessions, parts, true).await;
    let (snapshot, _) = loaded.map_err(|denied| denied.into_rejection(sessions))?;
    Ok(snapshot.and_then(|snapshot| sessions.copy(&snapshot)))
}
