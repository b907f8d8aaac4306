//! A session that a handler takes exclusively.

use std::sync::Arc;

use ::axum::response::{IntoResponse as _, Response};
use http::request::Parts;

use super::admission::{Caller, check_fresh, receive, turn_away, verify};
use super::asked::Asked;
use super::member::entered;
use super::problem::Rejection;
use crate::clock::Timestamp;
use crate::declaration::Transport;
use crate::error::Error;
use crate::guard::Access;
use crate::lease::Renewal;
use crate::session::TokenChange;
use crate::sessions::{self, AnyData, Core, Data, Known, Login, Right};

/// A session that is lent exclusively.
pub(super) struct Exclusive {
    known: Option<Arc<Known>>,
    /// When the token was presented: a body may take its time.
    presented: Timestamp,
    /// Kept where somebody is still to be asked about them: `verify`, or a handler that answers those
    /// whose session turns out to have ended.
    parts: Option<Box<Parts>>,
    lent: Lent,
    announcement: TokenChange,
}

#[expect(
    clippy::large_enum_variant,
    reason = "it stands in the handler's future, once; a box would cost every request"
)]
enum Lent {
    Nothing,
    Session(sessions::Exclusive),
    Default { data: Data, before: Vec<u8> },
}

impl Exclusive {
    /// One whose token was checked, which is to be entered once every extractor has succeeded; and how it came.
    pub(super) async fn announced(core: &Core, asked: &Asked, parts: &Parts) -> Result<(Self, Transport), Rejection> {
        let presented = core.now();
        let received = receive(core, parts, asked.csrf);
        let Caller { known, by } = received.map_err(|refusal| Rejection::new(core, refusal))?;
        if known.is_none() && asked.access == Access::Protected {
            let refusal = turn_away(core, (asked.missing)(), Some(parts)).await;
            return Err(Rejection::new(core, refusal));
        }
        let wanted = core.schema().verifies || asked.missing_handler || core.missing().wants_request();
        let parts = (known.is_some() && wanted).then(|| Box::new(parts.clone()));
        let (lent, announcement) = (Lent::Nothing, TokenChange::Unchanged);
        Ok((Self { known, presented, parts, lent, announcement }, by))
    }

    pub(super) fn data(&mut self) -> Option<&mut dyn AnyData> {
        match &mut self.lent {
            Lent::Nothing => None,
            Lent::Session(session) => Some(&mut *session.data),
            Lent::Default { data, .. } => Some(&mut **data),
        }
    }

    pub(super) async fn enter(&mut self, core: &Core, asked: &Asked) -> Result<(), Response> {
        let acquired = match &self.known {
            Some(known) => {
                let right = Right::Presented(self.presented);
                core.acquire(known, right, asked.wait).await.map_err(Error::into_response)?
            }
            None => None,
        };
        let verified = match (acquired, &self.parts) {
            (Some(session), Some(parts)) => verify(core, &*session.data, parts).await?.then_some(session),
            (acquired, _) => acquired,
        };
        self.lent = match verified {
            Some(mut session) => {
                check_fresh(core, session.proved(), asked.fresh, asked.missing, self.parts.as_deref()).await?;
                (asked.guard)(&*session.data)?;
                session.lend(core.schema()).map_err(Error::into_response)?;
                Lent::Session(session)
            }
            None if asked.access == Access::Protected => {
                return Err(turn_away(core, (asked.missing)(), self.parts.as_deref()).await);
            }
            None => match (asked.default)() {
                None => Lent::Nothing,
                Some(data) => {
                    (asked.guard)(&*data)?;
                    let mut before = Vec::new();
                    data.encode(&mut before).map_err(|error| Error::Encode(error).into_response())?;
                    Lent::Default { data, before }
                }
            },
        };
        Ok(())
    }

    pub(super) fn renewal(&self) -> Option<Renewal> {
        match &self.lent {
            Lent::Session(session) => Some(session.held().renewal()),
            Lent::Nothing | Lent::Default { .. } => None,
        }
    }

    pub(super) async fn commit(&mut self, core: &Core) -> Result<(), Error> {
        match std::mem::replace(&mut self.lent, Lent::Nothing) {
            Lent::Nothing => {}
            Lent::Session(session) => {
                let (saved, token) = core.save(session).await?;
                self.announcement = entered(core, Some(&saved), token);
            }
            Lent::Default { data, before } => {
                let mut after = Vec::with_capacity(before.len());
                data.encode(&mut after).map_err(Error::Encode)?;
                if after != before {
                    let (started, token) = core.create(data, Login::default(), None).await?;
                    self.announcement = TokenChange::set(token, &started);
                }
            }
        }
        Ok(())
    }

    pub(super) fn discard(&mut self) {
        self.lent = Lent::Nothing;
    }

    pub(super) fn announcement(&mut self) -> TokenChange {
        std::mem::take(&mut self.announcement)
    }
}
