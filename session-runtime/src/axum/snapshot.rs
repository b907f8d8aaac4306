//! Sessions without `#[session]`: a snapshot for handlers, middleware and libraries.

use ::axum::extract::FromRef;
use http::HeaderMap;
use http::request::Parts;

use super::extract::{load, request, turn_away};
use super::problem::Rejection;
use crate::error::Error;
use crate::sessions::{SessionData, Sessions, Snapshot};

impl<T: SessionData> Sessions<T> {
    /// The session that a request's headers name, for middleware, WebSockets and libraries: `None`
    /// without a live one. Slides the idle timeout, as any read does.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down.
    pub async fn find(&self, headers: &HeaderMap) -> Result<Option<Snapshot<T>>, Error> {
        load(self, headers).await
    }
}

/// What the derived `OptionalFromRequestParts` does.
///
/// # Errors
/// 503 if the backend is down.
pub async fn snapshot_optional<T: SessionData, S>(parts: &mut Parts, state: &S) -> Result<Option<T>, Rejection>
where
    Sessions<T>: FromRef<S>,
{
    let sessions = Sessions::<T>::from_ref(state);
    Ok(load(&sessions, &parts.headers).await?.and_then(|snapshot| sessions.copy(&snapshot)))
}

/// What the derived `FromRequestParts` does.
///
/// # Errors
/// What `missing` says without a session, 503 if the backend is down.
pub async fn snapshot<T: SessionData, S>(parts: &mut Parts, state: &S) -> Result<T, Rejection>
where
    Sessions<T>: FromRef<S>,
{
    match snapshot_optional(parts, state).await? {
        Some(data) => Ok(data),
        None => {
            let sessions = Sessions::<T>::from_ref(state);
            let request = sessions.missing().wants_request().then(|| request(parts));
            Err(Rejection::new(turn_away(&sessions, None, request).await))
        }
    }
}
