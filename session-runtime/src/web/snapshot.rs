//! Sessions without `#[session]`: a snapshot for handlers, middleware and libraries.

use std::fmt;
use std::future::Future;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use futures_util::future::BoxFuture;
use http::request::Parts;

use super::authorize::{Absence, Denied, load, turn_away};
use super::domain::at_domain;
use super::passive::Reading;
use super::problem::Rejection;
use super::request_memory;
use super::state::HasSessions;
use crate::error::Error;
use crate::sessions::{BoxedData, Core, LoadedSession, SessionData, Sessions, Snapshot, owned};

impl<T: SessionData> Sessions<T> {
    /// The session of a request, for middleware and libraries: `None` without a live one, if the type's `verify`
    /// refuses it, or if the token cannot be used. Slides the idle timeout, as any read does,
    /// unless the request is a `HEAD` or a prefetch. Cross-site requests are not refused here.
    ///
    /// The answer depends on the request's token, and this has no hand in the answer: if a cache stands before the
    /// application, put [`vary`](Self::vary) around it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down.
    #[doc = include_str!("../docs/examples/sessions_find.md")]
    pub async fn find(&self, parts: &Parts) -> Result<Option<Snapshot<T>>, Error> {
        self.found(parts, true).await
    }

    async fn found(&self, parts: &Parts, touches: bool) -> Result<Option<Snapshot<T>>, Error> {
        match self.core().find(parts, false, touches).await {
            Ok(found) => Ok(found.ok().map(Snapshot::of)),
            Err(Denied::Refused(_)) => Ok(None),
            Err(Denied::Error(error)) => Err(error),
        }
    }

    /// The same, and the session is not used by it: its idle timeout goes on. For requests that nobody has asked for, such
    /// as those by which a page asks whether the session is still alive.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    #[doc = include_str!("../docs/examples/sessions_peek.md")]
    pub async fn peek(&self, parts: &Parts) -> Result<Option<Snapshot<T>>, Error> {
        self.found(parts, false).await
    }

    /// The same, and what was loaded is remembered in the request's extensions: [`protect`](Self::protect), extractors,
    /// `&T` and [`find`](Self::find) behind it do not ask the store again. [`find`](Self::find) itself cannot remember
    /// anything, since it only looks at the request.
    ///
    /// It is remembered for a second at most, and not once this process has written the session.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    #[doc = include_str!("../docs/examples/sessions_find_once.md")]
    pub async fn find_once(&self, parts: &mut Parts) -> Result<Option<Snapshot<T>>, Error> {
        request_memory::begin(parts);
        self.find(parts).await
    }

    /// As [`peek`](Self::peek), and what was loaded is remembered as [`find_once`](Self::find_once) does. Who uses the
    /// session later in the request asks the store again, as that use is to be noted.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    #[doc = include_str!("../docs/examples/sessions_peek_once.md")]
    pub async fn peek_once(&self, parts: &mut Parts) -> Result<Option<Snapshot<T>>, Error> {
        request_memory::begin(parts);
        self.peek(parts).await
    }
}

impl Core {
    fn find<'a>(
        &'a self,
        parts: &'a Parts,
        guarded: bool,
        touches: bool,
    ) -> BoxFuture<'a, Result<Result<LoadedSession, Absence>, Denied>> {
        let reading = Reading::of(parts, touches);
        Box::pin(async move {
            let core = at_domain(self, parts)?;
            load(&core, parts, guarded, reading).await.map(|found| found.session)
        })
    }

    /// An owned copy of a session's data, for a handler that asks for it, or for it if there is one.
    fn extract<'a>(
        &'a self,
        parts: &'a Parts,
        needed: bool,
        touches: bool,
    ) -> BoxFuture<'a, Result<Option<BoxedData>, Rejection>> {
        Box::pin(async move {
            let found = self.find(parts, true, touches).await.map_err(|denied| denied.into_rejection(self, parts))?;
            let copy =
                found.and_then(|found| (self.schema().decode)(&found.decoded.json).map_err(|_| Absence::Anonymous));
            match copy {
                Ok(copy) => Ok(Some(copy)),
                Err(absence) if needed => {
                    Err(Rejection::new(self, parts, turn_away(self, absence, None, Some(parts)).await))
                }
                Err(_) => Ok(None),
            }
        })
    }
}

/// What the derived `OptionalFromRequestParts` does. Nothing is added to the answer: [`Sessions::vary`] does that.
///
/// # Errors
/// 503 if the backend is down.
pub fn snapshot_optional<T: SessionData, S: HasSessions<T>>(
    parts: &mut Parts,
    state: &S,
) -> impl Future<Output = Result<Option<T>, Rejection>> + Send {
    let sessions = state.sessions_held();
    request_memory::begin(parts);
    async move { Ok(sessions.core().extract(parts, false, true).await?.map(owned)) }
}

/// What the derived `FromRequestParts` does. A refusal says what it depends on; for other answers [`Sessions::vary`] does.
///
/// # Errors
/// What `missing` says without a session, 503 if the backend is down.
pub fn snapshot<T: SessionData, S: HasSessions<T>>(
    parts: &mut Parts,
    state: &S,
) -> impl Future<Output = Result<T, Rejection>> + Send {
    let sessions = state.sessions_held();
    request_memory::begin(parts);
    async move {
        Ok(sessions.core().extract(parts, true, true).await?.map(owned).expect("there is one, or this was refused"))
    }
}

/// A copy of a session's data, as the type itself is as an extractor, and the session is not used by it: its idle timeout
/// goes on. `Option<Peek<T>>` is for handlers that serve anonymous requests as well.
///
/// Under `#[session(...)]` that is `touch = off`.
#[doc = include_str!("../docs/examples/peek.md")]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Peek<T>(pub T);

impl<T> fmt::Debug for Peek<T> {
    /// The data may hold secrets: print it by itself if it doesn't.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peek(..)")
    }
}

impl<T: SessionData, S: HasSessions<T> + Sync> FromRequestParts<S> for Peek<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let sessions = state.sessions_held();
        request_memory::begin(parts);
        let found = sessions.core().extract(parts, true, false).await?;
        Ok(Self(found.map(owned).expect("there is one, or this was refused")))
    }
}

impl<T: SessionData, S: HasSessions<T> + Sync> OptionalFromRequestParts<S> for Peek<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        let sessions = state.sessions_held();
        request_memory::begin(parts);
        Ok(sessions.core().extract(parts, false, false).await?.map(owned).map(Self))
    }
}
