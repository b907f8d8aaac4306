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

use super::admission::{Admitted, Caller, admit, check_fresh, receive, reject, turn_away, verify};
use super::asked::Asked;
use super::member::{Member, announces, entered};
use super::problem::Rejection;
use super::state::HasSessions;
use crate::clock::Timestamp;
use crate::codec;
use crate::declaration::Transport;
use crate::error::Error;
use crate::guard::Access;
use crate::lease::Renewal;
use crate::missing::Missing;
use crate::session::{Outcome, Session, SessionSlot, TokenChange};
use crate::sessions::{self, Known, Login, Right, SessionData, Sessions, Snapshot};

/// What `#[session(...)]` says of one session type in one handler.
pub trait Spec: Send + Sync + 'static {
    /// The session's type.
    type Data: SessionData;
    /// Who may enter.
    const ACCESS: Access;
    /// Whether the handler is lent the data; `false` where it is only guarded by it.
    const LENDS: bool = true;
    /// How long ago the person may have proved who they are, if the handler says.
    const FRESH: Option<Duration> = None;
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
    /// Whether the handler takes it, rather than being guarded by it alone.
    lends: bool,
    token: Option<String>,
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
        Ok(Self { sessions, snapshot, by, lends: M::LENDS, token: None, default })
    }
}

impl<M: Spec> SharedFromRef<Sessions<M::Data>, M> {
    /// The data, for `&T`.
    pub fn lend(&mut self) -> &M::Data {
        self.lend_optional().expect("without a session or a default the request was turned away")
    }

    /// The data, for `Option<&M::Data>`.
    pub fn lend_optional(&mut self) -> Option<&M::Data> {
        self.snapshot.as_deref().or(self.default.as_ref())
    }
}

impl<M: Spec> Member for SharedFromRef<Sessions<M::Data>, M> {
    announces!();

    async fn settle(&mut self) -> Result<(), Response> {
        settle(&self.sessions, &mut self.snapshot, &mut self.token, self.lends).await
    }

    fn announcement(&mut self) -> TokenChange {
        entered(&self.sessions, self.snapshot.as_ref(), self.token.take())
    }
}

/// What entering a session brings with it; `reads`: its data is lent, and with it the flash.
async fn settle<T: SessionData>(
    sessions: &Sessions<T>,
    session: &mut Option<Snapshot<T>>,
    token: &mut Option<String>,
    reads: bool,
) -> Result<(), Response> {
    let Some(entered) = session else { return Ok(()) };
    let Some(unsettled) = sessions.unsettled(entered, reads) else { return Ok(()) };
    // Boxed, so that the many that have nothing to settle have small futures.
    let settled = Box::pin(sessions.settle(entered, unsettled)).await;
    let (settled, renewed) = settled.map_err(Error::into_response)?;
    (*entered, *token) = (settled, renewed);
    Ok(())
}

/// `&mut T` and `Option<&mut T>`: only the token is checked while extractors run; the session is locked
/// and loaded after all of them have succeeded.
pub struct ExclusiveFromRef<H, M: Spec> {
    sessions: H,
    asked: Asked<M::Data>,
    known: Option<Arc<Known<M::Data>>>,
    by: Transport,
    /// When the token was presented: a body may take its time.
    presented: Timestamp,
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
        let presented = sessions.now();
        let received = receive(&sessions, parts, M::CSRF);
        let Caller { known, by } = received.map_err(|refusal| Rejection::new(&sessions, refusal))?;
        if known.is_none() && M::ACCESS == Access::Protected {
            return Err(reject::<M>(&sessions, parts).await);
        }
        let wanted = M::Data::VERIFIES || M::MISSING_HANDLER || sessions.missing().wants_request();
        let parts = (known.is_some() && wanted).then(|| Box::new(parts.clone()));
        let (asked, lent, announcement) = (Asked::by::<M>(), Lent::Nothing, TokenChange::Unchanged);
        Ok(Self { sessions, asked, known, by, presented, parts, lent, announcement })
    }
}

impl<M: Spec> ExclusiveFromRef<Sessions<M::Data>, M> {
    /// The data, for `&mut T`.
    pub fn lend(&mut self) -> &mut M::Data {
        self.lend_optional().expect("without a session or a default the request was turned away")
    }

    /// The data, for `Option<&mut M::Data>`.
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
            Some(known) => {
                let right = Right::Presented(self.presented);
                self.sessions.acquire(known, right, self.asked.wait).await.map_err(Error::into_response)?
            }
            None => None,
        };
        let verified = match (acquired, &self.parts) {
            (Some(session), Some(parts)) => verify(&self.sessions, &session.data, parts).await?.then_some(session),
            (acquired, _) => acquired,
        };
        self.lent = match verified {
            Some(mut session) => {
                let Asked { fresh, missing, guard, .. } = self.asked;
                check_fresh(&self.sessions, session.proved(), fresh, missing, self.parts.as_deref()).await?;
                guard(&session.data)?;
                session.lend().map_err(Error::into_response)?;
                Lent::Session(session)
            }
            None if self.asked.access == Access::Protected => {
                return Err(turn_away(&self.sessions, (self.asked.missing)(), self.parts.as_deref()).await);
            }
            None => match (self.asked.default)() {
                None => Lent::Nothing,
                Some(data) => {
                    (self.asked.guard)(&data)?;
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
                let (saved, token) = self.sessions.save(session).await?;
                self.announcement = entered(&self.sessions, Some(&saved), token);
            }
            Lent::Default { data, before } => {
                let mut after = Vec::with_capacity(before.len());
                codec::encode(&data, &mut after).map_err(Error::Encode)?;
                if after != before {
                    let (snapshot, token) = self.sessions.create(data, Login::default(), None).await?;
                    self.announcement = TokenChange::set(token, &snapshot);
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
    token: Option<String>,
    outcome: Arc<Outcome>,
}

impl<M: Spec, S: HasSessions<M::Data> + Send + Sync> FromRequestParts<S> for OwnedFromRef<Sessions<M::Data>, M> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Admitted { sessions, snapshot, by } = admit::<M, S>(parts, state).await?;
        Ok(Self { sessions, snapshot, by, token: None, outcome: Arc::default() })
    }
}

impl<M: Spec> OwnedFromRef<Sessions<M::Data>, M> {
    /// The handle, for `Session<M::Data>`.
    pub fn lend(&mut self) -> Session<M::Data> {
        self.lend_optional().expect("without a session the request was turned away")
    }

    /// The handle, for `Option<Session<M::Data>>`.
    pub fn lend_optional(&mut self) -> Option<Session<M::Data>> {
        let snapshot = self.snapshot.clone()?;
        Some(Session::new(self.sessions.clone(), snapshot, Arc::clone(&self.outcome)))
    }
}

impl<M: Spec> Member for OwnedFromRef<Sessions<M::Data>, M> {
    announces!();

    async fn settle(&mut self) -> Result<(), Response> {
        settle(&self.sessions, &mut self.snapshot, &mut self.token, false).await
    }

    fn announcement(&mut self) -> TokenChange {
        match self.outcome.take() {
            TokenChange::Unchanged => entered(&self.sessions, self.snapshot.as_ref(), self.token.take()),
            change => change,
        }
    }
}

/// `SessionSlot<T>`.
pub struct SlotFromRef<H, M: Spec> {
    sessions: H,
    snapshot: Option<Snapshot<M::Data>>,
    by: Transport,
    token: Option<String>,
    outcome: Arc<Outcome>,
}

impl<M: Spec, S: HasSessions<M::Data> + Send + Sync> FromRequestParts<S> for SlotFromRef<Sessions<M::Data>, M> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Admitted { sessions, snapshot, by } = admit::<M, S>(parts, state).await?;
        Ok(Self { sessions, snapshot, by, token: None, outcome: Arc::default() })
    }
}

impl<M: Spec> SlotFromRef<Sessions<M::Data>, M> {
    /// The slot, for `SessionSlot<M::Data>`.
    pub fn lend(&mut self) -> SessionSlot<M::Data> {
        SessionSlot::new(self.sessions.clone(), self.snapshot.clone(), Arc::clone(&self.outcome))
    }
}

impl<M: Spec> Member for SlotFromRef<Sessions<M::Data>, M> {
    announces!();

    async fn settle(&mut self) -> Result<(), Response> {
        settle(&self.sessions, &mut self.snapshot, &mut self.token, false).await
    }

    fn announcement(&mut self) -> TokenChange {
        match self.outcome.take() {
            TokenChange::Unchanged => entered(&self.sessions, self.snapshot.as_ref(), self.token.take()),
            change => change,
        }
    }
}
