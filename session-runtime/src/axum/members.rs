//! What stands behind a handler's extractors: one for each way to take a session, of its type and not of the handler.

use std::future::Future;
use std::sync::Arc;

use ::axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::request::Parts;

use super::admission::{Admitted, Caller, admit, check_fresh, receive, turn_away, verify};
use super::asked::Asked;
use super::member::{Member, announces, entered};
use super::problem::Rejection;
use crate::clock::Timestamp;
use crate::codec;
use crate::declaration::Transport;
use crate::error::Error;
use crate::guard::Access;
use crate::lease::Renewal;
use crate::session::{Outcome, Session, SessionSlot, TokenChange};
use crate::sessions::{self, Known, Login, Right, SessionData, Sessions, Snapshot};

/// How a session is taken from a request.
pub(super) trait Take<T>: Sized {
    /// Takes it, or turns the request away.
    fn take(
        sessions: Sessions<T>,
        asked: Asked<T>,
        parts: &Parts,
    ) -> impl Future<Output = Result<Self, Rejection>> + Send;
}

/// A session that is read.
pub struct SharedMember<T> {
    sessions: Sessions<T>,
    snapshot: Option<Snapshot<T>>,
    by: Transport,
    /// Whether the handler takes it, rather than being guarded by it alone.
    lends: bool,
    token: Option<String>,
    default: Option<T>,
}

impl<T: SessionData> Take<T> for SharedMember<T> {
    async fn take(sessions: Sessions<T>, asked: Asked<T>, parts: &Parts) -> Result<Self, Rejection> {
        let Admitted { sessions, snapshot, by } = admit(sessions, &asked, parts).await?;
        let default = if snapshot.is_none() { (asked.default)() } else { None };
        if let Some(data) = &default {
            (asked.guard)(data).map_err(|refusal| Rejection::new(&sessions, refusal))?;
        }
        Ok(Self { sessions, snapshot, by, lends: asked.lends, token: None, default })
    }
}

impl<T> SharedMember<T> {
    pub(super) fn lend(&mut self) -> &T {
        self.lend_optional().expect("without a session or a default the request was turned away")
    }

    pub(super) fn lend_optional(&mut self) -> Option<&T> {
        self.snapshot.as_deref().or(self.default.as_ref())
    }
}

impl<T: SessionData> Member for SharedMember<T> {
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

/// A session that is lent exclusively.
pub struct ExclusiveMember<T> {
    sessions: Sessions<T>,
    asked: Asked<T>,
    known: Option<Arc<Known<T>>>,
    by: Transport,
    /// When the token was presented: a body may take its time.
    presented: Timestamp,
    /// Kept where somebody is still to be asked about them: `verify`, or a handler that answers those
    /// whose session turns out to have ended.
    parts: Option<Box<Parts>>,
    lent: Lent<T>,
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

impl<T: SessionData> Take<T> for ExclusiveMember<T> {
    async fn take(sessions: Sessions<T>, asked: Asked<T>, parts: &Parts) -> Result<Self, Rejection> {
        let presented = sessions.now();
        let received = receive(&sessions, parts, asked.csrf);
        let Caller { known, by } = received.map_err(|refusal| Rejection::new(&sessions, refusal))?;
        if known.is_none() && asked.access == Access::Protected {
            let refusal = turn_away(&sessions, (asked.missing)(), Some(parts)).await;
            return Err(Rejection::new(&sessions, refusal));
        }
        let wanted = T::VERIFIES || asked.missing_handler || sessions.missing().wants_request();
        let parts = (known.is_some() && wanted).then(|| Box::new(parts.clone()));
        let (lent, announcement) = (Lent::Nothing, TokenChange::Unchanged);
        Ok(Self { sessions, asked, known, by, presented, parts, lent, announcement })
    }
}

impl<T> ExclusiveMember<T> {
    pub(super) fn lend(&mut self) -> &mut T {
        self.lend_optional().expect("without a session or a default the request was turned away")
    }

    pub(super) fn lend_optional(&mut self) -> Option<&mut T> {
        match &mut self.lent {
            Lent::Nothing => None,
            Lent::Session(session) => Some(&mut session.data),
            Lent::Default { data, .. } => Some(data),
        }
    }
}

impl<T: SessionData> Member for ExclusiveMember<T> {
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

/// A session that is handed over.
pub struct OwnedMember<T> {
    sessions: Sessions<T>,
    snapshot: Option<Snapshot<T>>,
    by: Transport,
    token: Option<String>,
    outcome: Arc<Outcome>,
}

impl<T: SessionData> Take<T> for OwnedMember<T> {
    async fn take(sessions: Sessions<T>, asked: Asked<T>, parts: &Parts) -> Result<Self, Rejection> {
        let Admitted { sessions, snapshot, by } = admit(sessions, &asked, parts).await?;
        Ok(Self { sessions, snapshot, by, token: None, outcome: Arc::default() })
    }
}

impl<T: SessionData> OwnedMember<T> {
    pub(super) fn lend(&mut self) -> Session<T> {
        self.lend_optional().expect("without a session the request was turned away")
    }

    pub(super) fn lend_optional(&mut self) -> Option<Session<T>> {
        let snapshot = self.snapshot.clone()?;
        Some(Session::new(self.sessions.clone(), snapshot, Arc::clone(&self.outcome)))
    }
}

impl<T: SessionData> Member for OwnedMember<T> {
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

/// The place of a session.
pub struct SlotMember<T> {
    sessions: Sessions<T>,
    snapshot: Option<Snapshot<T>>,
    by: Transport,
    token: Option<String>,
    outcome: Arc<Outcome>,
}

impl<T: SessionData> Take<T> for SlotMember<T> {
    async fn take(sessions: Sessions<T>, asked: Asked<T>, parts: &Parts) -> Result<Self, Rejection> {
        let Admitted { sessions, snapshot, by } = admit(sessions, &asked, parts).await?;
        Ok(Self { sessions, snapshot, by, token: None, outcome: Arc::default() })
    }
}

impl<T: SessionData> SlotMember<T> {
    pub(super) fn lend(&mut self) -> SessionSlot<T> {
        SessionSlot::new(self.sessions.clone(), self.snapshot.clone(), Arc::clone(&self.outcome))
    }
}

impl<T: SessionData> Member for SlotMember<T> {
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
