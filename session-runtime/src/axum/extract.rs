//! The extractors that stand in a generated handler's signature, one for each way to take a session.
//!
//! Their names and first parameters, such as `SharedFromRef<Sessions<User>, ..>`, are read by people: they are all that
//! the compiler shows of a handler whose state lacks its sessions.

use std::sync::Arc;
use std::time::Duration;

use ::axum::extract::FromRequestParts;
use ::axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::request::Parts;

use super::admission::{Admitted, Caller, admit, receive, reject, turn_away, verify};
use super::member::{Member, announces, reissued};
use super::problem::Rejection;
use super::state::HasSessions;
use crate::codec;
use crate::declaration::Transport;
use crate::error::Error;
use crate::guard::Access;
use crate::lease::Renewal;
use crate::missing::Missing;
use crate::session::{Outcome, Session, SessionSlot, TokenChange};
use crate::sessions::{self, Known, Login, SessionData, Sessions, Snapshot};

/// What `#[session(...)]` says of one session type in one handler.
pub trait Spec: Send + Sync + 'static {
    /// The session's type.
    type Data: SessionData;
    /// Who may enter.
    const ACCESS: Access;
    /// How long an exclusive borrow may queue, if the handler says.
    const WAIT: Option<Duration> = None;
    /// Whether requests that another site may have made are refused.
    const CSRF: bool = true;
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
    fn guard(data: &Self::Data) -> Result<(), Response> {
        let _ = data;
        Ok(())
    }

    /// What a stranger gets under `or_default`.
    fn default() -> Option<Self::Data> {
        None
    }
}

/// `&T`, `Option<&T>`, and a type that is guarded without a parameter.
pub struct SharedFromRef<H, M: Spec> {
    sessions: H,
    snapshot: Option<Snapshot<M::Data>>,
    by: Transport,
    default: Option<M::Data>,
}

impl<M: Spec, S: HasSessions<M::Data> + Send + Sync> FromRequestParts<S> for SharedFromRef<Sessions<M::Data>, M> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Admitted { sessions, snapshot, by } = admit::<M, S>(parts, state).await?;
        let default = if snapshot.is_none() { M::default() } else { None };
        if let Some(data) = &default {
            M::guard(data).map_err(|refusal| Rejection::new(&sessions, refusal))?;
        }
        Ok(Self { sessions, snapshot, by, default })
    }
}

impl<M: Spec> SharedFromRef<Sessions<M::Data>, M> {
    /// The data, for `&T`.
    pub fn lend(&mut self) -> &M::Data {
        self.lend_optional().expect("without a session or a default the request was turned away")
    }

    /// The data, for `Option<&T>`.
    pub fn lend_optional(&mut self) -> Option<&M::Data> {
        self.snapshot.as_deref().or(self.default.as_ref())
    }
}

impl<M: Spec> Member for SharedFromRef<Sessions<M::Data>, M> {
    announces!();

    fn announcement(&mut self) -> TokenChange {
        reissued(&self.sessions, self.snapshot.as_ref().map(|snapshot| &*snapshot.known))
    }
}

/// `&mut T` and `Option<&mut T>`: only the token is checked while extractors run; the session is locked
/// and loaded after all of them have succeeded.
pub struct ExclusiveFromRef<H, M: Spec> {
    sessions: H,
    known: Option<Arc<Known<M::Data>>>,
    by: Transport,
    /// Kept where somebody is still to be asked about them: `verify`, or a handler that answers those
    /// whose session turns out to have ended.
    parts: Option<Box<Parts>>,
    lent: Lent<M::Data>,
    announcement: TokenChange,
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

impl<M: Spec, S: HasSessions<M::Data> + Send + Sync> FromRequestParts<S> for ExclusiveFromRef<Sessions<M::Data>, M> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let sessions = state.sessions();
        let received = receive(&sessions, parts, M::CSRF);
        let Caller { known, by } = received.map_err(|refusal| Rejection::new(&sessions, refusal))?;
        if known.is_none() && M::ACCESS == Access::Protected {
            return Err(reject::<M>(&sessions, parts).await);
        }
        let wanted = M::Data::VERIFIES || M::MISSING_HANDLER || sessions.missing().wants_request();
        let parts = (known.is_some() && wanted).then(|| Box::new(parts.clone()));
        Ok(Self { sessions, known, by, parts, lent: Lent::Nothing, announcement: TokenChange::Unchanged })
    }
}

impl<M: Spec> ExclusiveFromRef<Sessions<M::Data>, M> {
    /// The data, for `&mut T`.
    pub fn lend(&mut self) -> &mut M::Data {
        self.lend_optional().expect("without a session or a default the request was turned away")
    }

    /// The data, for `Option<&mut T>`.
    pub fn lend_optional(&mut self) -> Option<&mut M::Data> {
        match &mut self.lent {
            Lent::Nothing => None,
            Lent::Session(session) => Some(&mut session.data),
            Lent::Default { data, .. } => Some(data),
        }
    }
}

impl<M: Spec> Member for ExclusiveFromRef<Sessions<M::Data>, M> {
    announces!();

    async fn enter(&mut self) -> Result<(), Response> {
        let acquired = match &self.known {
            Some(known) => self.sessions.acquire(known, M::WAIT).await.map_err(Error::into_response)?,
            None => None,
        };
        let verified = match (acquired, &self.parts) {
            (Some(session), Some(parts)) => verify(&self.sessions, &session.data, parts).await?.then_some(session),
            (acquired, _) => acquired,
        };
        self.lent = match verified {
            Some(session) => {
                M::guard(&session.data)?;
                Lent::Session(session)
            }
            None if M::ACCESS == Access::Protected => {
                return Err(turn_away(&self.sessions, M::missing(), self.parts.as_deref()).await);
            }
            None => match M::default() {
                None => Lent::Nothing,
                Some(data) => {
                    M::guard(&data)?;
                    let mut before = Vec::new();
                    codec::encode(&data, &mut before).map_err(|error| Error::Encode(error).into_response())?;
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
                    let (snapshot, token) = self.sessions.create(data, Login::default(), None).await?;
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
pub struct OwnedFromRef<H, M: Spec> {
    sessions: H,
    snapshot: Option<Snapshot<M::Data>>,
    by: Transport,
    outcome: Arc<Outcome>,
}

impl<M: Spec, S: HasSessions<M::Data> + Send + Sync> FromRequestParts<S> for OwnedFromRef<Sessions<M::Data>, M> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Admitted { sessions, snapshot, by } = admit::<M, S>(parts, state).await?;
        Ok(Self { sessions, snapshot, by, outcome: Arc::default() })
    }
}

impl<M: Spec> OwnedFromRef<Sessions<M::Data>, M> {
    /// The handle, for `Session<T>`.
    pub fn lend(&mut self) -> Session<M::Data> {
        self.lend_optional().expect("without a session the request was turned away")
    }

    /// The handle, for `Option<Session<T>>`.
    pub fn lend_optional(&mut self) -> Option<Session<M::Data>> {
        let snapshot = self.snapshot.clone()?;
        Some(Session::new(self.sessions.clone(), snapshot, Arc::clone(&self.outcome)))
    }
}

impl<M: Spec> Member for OwnedFromRef<Sessions<M::Data>, M> {
    announces!();

    fn announcement(&mut self) -> TokenChange {
        match self.outcome.take() {
            TokenChange::Unchanged => reissued(&self.sessions, self.snapshot.as_ref().map(|snapshot| &*snapshot.known)),
            change => change,
        }
    }
}

/// `SessionSlot<T>`.
pub struct SlotFromRef<H, M: Spec> {
    sessions: H,
    snapshot: Option<Snapshot<M::Data>>,
    by: Transport,
    outcome: Arc<Outcome>,
}

impl<M: Spec, S: HasSessions<M::Data> + Send + Sync> FromRequestParts<S> for SlotFromRef<Sessions<M::Data>, M> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Admitted { sessions, snapshot, by } = admit::<M, S>(parts, state).await?;
        Ok(Self { sessions, snapshot, by, outcome: Arc::default() })
    }
}

impl<M: Spec> SlotFromRef<Sessions<M::Data>, M> {
    /// The slot, for `SessionSlot<T>`.
    pub fn lend(&mut self) -> SessionSlot<M::Data> {
        SessionSlot::new(self.sessions.clone(), self.snapshot.clone(), Arc::clone(&self.outcome))
    }
}

impl<M: Spec> Member for SlotFromRef<Sessions<M::Data>, M> {
    announces!();

    fn announcement(&mut self) -> TokenChange {
        match self.outcome.take() {
            TokenChange::Unchanged => reissued(&self.sessions, self.snapshot.as_ref().map(|snapshot| &*snapshot.known)),
            change => change,
        }
    }
}
