//! The extractors that stand in a generated handler's signature, one for each way to take a session.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use ::axum::body::Body;
use ::axum::extract::{FromRef, FromRequestParts};
use ::axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Request};

use super::cookies::{self, Presented};
use super::member::{Member, announces, reissued};
use super::problem::{self, Rejection};
use crate::codec;
use crate::error::Error;
use crate::guard::Access;
use crate::lease::Renewal;
use crate::missing::Missing;
use crate::session::{Outcome, Session, SessionSlot, TokenChange};
use crate::sessions::{self, Known, SessionData, Sessions, Snapshot};

/// What `#[session(...)]` says of one session type in one handler.
pub trait Spec<T: SessionData>: Send + Sync + 'static {
    /// Who may enter.
    const ACCESS: Access;
    /// How long an exclusive borrow may queue, if the handler says.
    const WAIT: Option<Duration> = None;
    /// Whether the handler's own `missing` is a handler.
    const MISSING_HANDLER: bool = false;

    /// The handler's own `missing`.
    fn missing() -> Option<Missing> {
        None
    }

    /// The guard.
    ///
    /// # Errors
    /// The response to give instead.
    fn guard(data: &T) -> Result<(), Response> {
        let _ = data;
        Ok(())
    }

    /// What a stranger gets under `or_default`.
    fn default() -> Option<T> {
        None
    }
}

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

/// The session that a request's token names, loaded.
pub(super) async fn load<T: SessionData>(
    sessions: &Sessions<T>,
    headers: &HeaderMap,
) -> Result<Option<Snapshot<T>>, Error> {
    match identify(sessions, headers) {
        Some(known) => sessions.load(&known).await,
        None => Ok(None),
    }
}

/// The answer to a stranger.
pub(super) async fn turn_away<T: SessionData>(
    sessions: &Sessions<T>,
    own: Option<Missing>,
    request: Option<Request<Body>>,
) -> Response {
    let missing = own.unwrap_or_else(|| sessions.missing().clone());
    match missing.answer(request).await {
        Ok(response) => response,
        Err(status) => problem::missing(status, &sessions.cookie().name),
    }
}

/// The request again, for a handler that answers strangers.
pub(super) fn request(parts: &Parts) -> Request<Body> {
    Request::from_parts(parts.clone(), Body::empty())
}

async fn reject<T: SessionData, M: Spec<T>>(sessions: &Sessions<T>, parts: &Parts) -> Rejection {
    let own = M::missing();
    let wanted = own.as_ref().unwrap_or(sessions.missing()).wants_request();
    let request = wanted.then(|| request(parts));
    Rejection::new(turn_away(sessions, own, request).await)
}

/// Loads the session for a handler that only reads it, turns strangers away and asks the guard.
async fn admit<T: SessionData, M: Spec<T>, S>(
    parts: &Parts,
    state: &S,
) -> Result<(Sessions<T>, Option<Snapshot<T>>), Rejection>
where
    Sessions<T>: FromRef<S>,
{
    let sessions = Sessions::<T>::from_ref(state);
    let snapshot = load(&sessions, &parts.headers).await?;
    match &snapshot {
        Some(snapshot) => M::guard(snapshot).map_err(Rejection::new)?,
        None if M::ACCESS == Access::Protected => return Err(reject::<T, M>(&sessions, parts).await),
        None => {}
    }
    Ok((sessions, snapshot))
}

/// `&T`, `Option<&T>`, and a type that is guarded without a parameter.
pub struct Shared<T: SessionData, M> {
    sessions: Sessions<T>,
    snapshot: Option<Snapshot<T>>,
    default: Option<T>,
    spec: PhantomData<fn() -> M>,
}

impl<T: SessionData, M: Spec<T>, S: Send + Sync> FromRequestParts<S> for Shared<T, M>
where
    Sessions<T>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let (sessions, snapshot) = admit::<T, M, S>(parts, state).await?;
        let default = if snapshot.is_none() { M::default() } else { None };
        if let Some(data) = &default {
            M::guard(data).map_err(Rejection::new)?;
        }
        Ok(Self { sessions, snapshot, default, spec: PhantomData })
    }
}

impl<T: SessionData, M: Spec<T>> Shared<T, M> {
    /// The data, for `&T`.
    pub fn lend(&mut self) -> &T {
        self.lend_optional().expect("without a session or a default the request was turned away")
    }

    /// The data, for `Option<&T>`.
    pub fn lend_optional(&mut self) -> Option<&T> {
        self.snapshot.as_deref().or(self.default.as_ref())
    }
}

impl<T: SessionData, M: Spec<T>> Member for Shared<T, M> {
    announces!();

    fn announcement(&mut self) -> TokenChange {
        reissued(&self.sessions, self.snapshot.as_ref().map(|snapshot| &*snapshot.known))
    }
}

/// `&mut T` and `Option<&mut T>`: only the token is checked while extractors run; the session is locked
/// and loaded after all of them have succeeded.
pub struct Exclusive<T: SessionData, M> {
    sessions: Sessions<T>,
    known: Option<Arc<Known<T>>>,
    /// Kept where a handler answers those whose session turns out to have ended.
    request: Option<Request<Body>>,
    lent: Lent<T>,
    announcement: TokenChange,
    spec: PhantomData<fn() -> M>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "it stands in the handler's future, once; a box would cost every request"
)]
enum Lent<T> {
    Nothing,
    Session(sessions::Exclusive<T>),
    Default { data: T, before: Vec<u8> },
}

impl<T: SessionData, M: Spec<T>, S: Send + Sync> FromRequestParts<S> for Exclusive<T, M>
where
    Sessions<T>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let sessions = Sessions::<T>::from_ref(state);
        let known = identify(&sessions, &parts.headers);
        if known.is_none() && M::ACCESS == Access::Protected {
            return Err(reject::<T, M>(&sessions, parts).await);
        }
        let wanted = M::ACCESS == Access::Protected && (M::MISSING_HANDLER || sessions.missing().wants_request());
        let request = wanted.then(|| request(parts));
        Ok(Self {
            sessions,
            known,
            request,
            lent: Lent::Nothing,
            announcement: TokenChange::Unchanged,
            spec: PhantomData,
        })
    }
}

impl<T: SessionData, M: Spec<T>> Exclusive<T, M> {
    /// The data, for `&mut T`.
    pub fn lend(&mut self) -> &mut T {
        self.lend_optional().expect("without a session or a default the request was turned away")
    }

    /// The data, for `Option<&mut T>`.
    pub fn lend_optional(&mut self) -> Option<&mut T> {
        match &mut self.lent {
            Lent::Nothing => None,
            Lent::Session(session) => Some(&mut session.data),
            Lent::Default { data, .. } => Some(data),
        }
    }
}

impl<T: SessionData, M: Spec<T>> Member for Exclusive<T, M> {
    announces!();

    async fn enter(&mut self) -> Result<(), Response> {
        let acquired = match &self.known {
            Some(known) => {
                self.sessions.acquire(known, M::WAIT).await.map_err(|error| Rejection::from(error).into_inner())?
            }
            None => None,
        };
        self.lent = match acquired {
            Some(session) => {
                M::guard(&session.data)?;
                Lent::Session(session)
            }
            None if M::ACCESS == Access::Protected => {
                return Err(turn_away(&self.sessions, M::missing(), self.request.take()).await);
            }
            None => match M::default() {
                None => Lent::Nothing,
                Some(data) => {
                    M::guard(&data)?;
                    let mut before = Vec::new();
                    codec::encode(&data, &mut before)
                        .map_err(|error| Rejection::from(Error::Encode(error)).into_inner())?;
                    Lent::Default { data, before }
                }
            },
        };
        Ok(())
    }

    fn renewal(&self) -> Option<Renewal> {
        match &self.lent {
            Lent::Session(session) => Some(session.held().renewal()),
            Lent::Nothing | Lent::Default { .. } => None,
        }
    }

    async fn commit(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.lent, Lent::Nothing) {
            Lent::Nothing => {}
            Lent::Session(session) => {
                let saved = self.sessions.save(session).await?;
                self.announcement = reissued(&self.sessions, Some(&saved.known));
            }
            Lent::Default { data, before } => {
                let mut after = Vec::with_capacity(before.len());
                codec::encode(&data, &mut after).map_err(Error::Encode)?;
                if after != before {
                    let (snapshot, token) = self.sessions.create(data).await?;
                    self.announcement = TokenChange::Set { token, expires: snapshot.expires };
                }
            }
        }
        Ok(())
    }

    fn discard(&mut self) {
        self.lent = Lent::Nothing;
    }

    fn announcement(&mut self) -> TokenChange {
        std::mem::take(&mut self.announcement)
    }
}

/// `Session<T>` and `Option<Session<T>>`.
pub struct Owned<T: SessionData, M> {
    sessions: Sessions<T>,
    snapshot: Option<Snapshot<T>>,
    outcome: Arc<Outcome>,
    spec: PhantomData<fn() -> M>,
}

impl<T: SessionData, M: Spec<T>, S: Send + Sync> FromRequestParts<S> for Owned<T, M>
where
    Sessions<T>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let (sessions, snapshot) = admit::<T, M, S>(parts, state).await?;
        Ok(Self { sessions, snapshot, outcome: Arc::default(), spec: PhantomData })
    }
}

impl<T: SessionData, M: Spec<T>> Owned<T, M> {
    /// The handle, for `Session<T>`.
    pub fn lend(&mut self) -> Session<T> {
        self.lend_optional().expect("without a session the request was turned away")
    }

    /// The handle, for `Option<Session<T>>`.
    pub fn lend_optional(&mut self) -> Option<Session<T>> {
        let snapshot = self.snapshot.clone()?;
        Some(Session::new(self.sessions.clone(), snapshot, Arc::clone(&self.outcome)))
    }
}

impl<T: SessionData, M: Spec<T>> Member for Owned<T, M> {
    announces!();

    fn announcement(&mut self) -> TokenChange {
        match self.outcome.take() {
            TokenChange::Unchanged => reissued(&self.sessions, self.snapshot.as_ref().map(|snapshot| &*snapshot.known)),
            change => change,
        }
    }
}

/// `SessionSlot<T>`.
pub struct Slot<T: SessionData, M> {
    sessions: Sessions<T>,
    snapshot: Option<Snapshot<T>>,
    outcome: Arc<Outcome>,
    spec: PhantomData<fn() -> M>,
}

impl<T: SessionData, M: Spec<T>, S: Send + Sync> FromRequestParts<S> for Slot<T, M>
where
    Sessions<T>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let (sessions, snapshot) = admit::<T, M, S>(parts, state).await?;
        Ok(Self { sessions, snapshot, outcome: Arc::default(), spec: PhantomData })
    }
}

impl<T: SessionData, M: Spec<T>> Slot<T, M> {
    /// The slot, for `SessionSlot<T>`.
    pub fn lend(&mut self) -> SessionSlot<T> {
        SessionSlot::new(self.sessions.clone(), self.snapshot.clone(), Arc::clone(&self.outcome))
    }
}

impl<T: SessionData, M: Spec<T>> Member for Slot<T, M> {
    announces!();

    fn announcement(&mut self) -> TokenChange {
        match self.outcome.take() {
            TokenChange::Unchanged => reissued(&self.sessions, self.snapshot.as_ref().map(|snapshot| &*snapshot.known)),
            change => change,
        }
    }
}
