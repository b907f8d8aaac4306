//! A session that a handler takes exclusively.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use http::request::Parts;

use super::authorize::{Caller, check_fresh, receive, turn_away, verify};
use super::handler::KeptLeases;
use super::handler_session::reissued;
use super::page_load::loads_page;
use super::passive::only_looks;
use super::problem::{self, Rejection};
use super::session_policy::SessionPolicy;
use super::withheld::is_withheld;
use crate::clock::Timestamp;
use crate::declaration::Transport;
use crate::error::Error;
use crate::guard::Access;
use crate::lease::LeaseKeeper;
use crate::session::TokenChange;
use crate::sessions::{self, BoxedData, Core, Credential, ErasedData, LoadedSession, Login, TokenEntry};
use crate::telemetry;

/// A session that is lent exclusively.
pub(super) struct ExclusiveBorrow {
    entry: Option<Arc<TokenEntry>>,
    /// When the token was presented: a body may take its time.
    presented: Timestamp,
    /// Kept where somebody is still to be asked about them: `verify`, or a handler that answers those
    /// whose session turns out to have ended.
    parts: Option<Box<Parts>>,
    /// Whether the request only looks.
    looks: bool,
    /// Whether it takes the flash.
    reads: bool,
    /// Whether the browser may have a session whose cookie it kept back: a default is not stored over it.
    withheld: bool,
    borrowed: BorrowedData,
    announcement: TokenChange,
}

#[expect(
    clippy::large_enum_variant,
    reason = "it stands in the handler's future, once; a box would cost every request"
)]
enum BorrowedData {
    Nothing,
    Session(sessions::ExclusiveSession),
    /// A copy for a request that only looks: the session is neither used nor held, unless the handler changes it.
    Copy {
        session: LoadedSession,
        data: BoxedData,
    },
    Default {
        data: BoxedData,
        before: Vec<u8>,
    },
}

impl ExclusiveBorrow {
    /// One whose token was checked, which is to be entered once every extractor has succeeded; and how it came.
    pub(super) async fn announced(
        core: &Core,
        policy: &SessionPolicy,
        parts: &Parts,
    ) -> Result<(Self, Transport), Rejection> {
        let presented = core.now();
        let received = receive(core, parts, policy.csrf).await;
        let Caller { entry, by } = received.map_err(|refusal| Rejection::new(core, parts, refusal))?;
        if entry.is_none() && policy.access == Access::Protected {
            let refusal = turn_away(core, (policy.missing)(), Some(parts)).await;
            return Err(Rejection::new(core, parts, refusal));
        }
        let withheld = entry.is_none()
            && policy.access == Access::OrDefault
            && by.is_sent_by_browsers()
            && is_withheld(core.cookie(&by).same_site, parts);
        if withheld {
            telemetry::cookie_withheld(core.session_type());
            if !parts.method.is_safe() {
                return Err(Rejection::new(core, parts, problem::cross_site()));
            }
        }
        let wanted = core.schema().verifies || policy.missing_handler || core.missing().wants_request();
        let (looks, reads) = (only_looks(parts), loads_page(parts));
        let parts = (entry.is_some() && wanted).then(|| Box::new(parts.clone()));
        let (borrowed, announcement) = (BorrowedData::Nothing, TokenChange::Unchanged);
        Ok((Self { entry, presented, parts, looks, reads, withheld, borrowed, announcement }, by))
    }

    pub(super) fn data(&mut self) -> Option<&mut dyn ErasedData> {
        match &mut self.borrowed {
            BorrowedData::Nothing => None,
            BorrowedData::Session(session) => Some(&mut *session.data),
            BorrowedData::Copy { data, .. } | BorrowedData::Default { data, .. } => Some(&mut **data),
        }
    }

    pub(super) async fn enter(&mut self, core: &Core, policy: &SessionPolicy) -> Result<(), Response> {
        if self.looks && self.entry.is_some() {
            return Box::pin(self.look(core, policy)).await;
        }
        let acquired = match &self.entry {
            Some(entry) => {
                let credential = Credential::Presented(self.presented);
                core.acquire(entry, credential, policy.wait).await.map_err(Error::into_response)?
            }
            None => None,
        };
        let verified = match (acquired, &self.parts) {
            (Some(session), Some(parts)) => {
                let lease = KeptLeases::from(session.held().keeper());
                lease.hold(verify(core, &*session.data, parts)).await?.then_some(session)
            }
            (acquired, _) => acquired,
        };
        self.borrowed = match verified {
            Some(mut session) => {
                let proved = session.authenticated_at();
                check_fresh(core, proved, policy.fresh, policy.missing, self.parts.as_deref()).await?;
                (policy.guard)(&*session.data)?;
                session.lend(core.schema(), self.reads).map_err(Error::into_response)?;
                BorrowedData::Session(session)
            }
            None => self.without_a_session(core, policy).await?,
        };
        Ok(())
    }

    /// The same for a request that only looks.
    async fn look(&mut self, core: &Core, policy: &SessionPolicy) -> Result<(), Response> {
        let mut found = match &self.entry {
            Some(entry) => core.look(entry).await.map_err(Error::into_response)?,
            None => None,
        };
        if let (Some(session), Some(parts)) = (&found, &self.parts)
            && !verify(core, session.data(), parts).await?
        {
            found = None;
        }
        self.borrowed = match found {
            Some(session) => {
                let proved = session.decoded.meta.authenticated_at;
                check_fresh(core, proved, policy.fresh, policy.missing, self.parts.as_deref()).await?;
                (policy.guard)(session.data())?;
                let data = core.copy_of(&session).map_err(Error::into_response)?;
                BorrowedData::Copy { session, data }
            }
            None => self.without_a_session(core, policy).await?,
        };
        Ok(())
    }

    /// What is lent where there is no session.
    async fn without_a_session(&self, core: &Core, policy: &SessionPolicy) -> Result<BorrowedData, Response> {
        if policy.access == Access::Protected {
            return Err(turn_away(core, (policy.missing)(), self.parts.as_deref()).await);
        }
        let Some(data) = (policy.default)() else { return Ok(BorrowedData::Nothing) };
        (policy.guard)(&*data)?;
        let mut before = Vec::new();
        data.encode(&mut before).map_err(|error| Error::Encode(error).into_response())?;
        Ok(BorrowedData::Default { data, before })
    }

    pub(super) fn keeper(&self) -> Option<LeaseKeeper> {
        match &self.borrowed {
            BorrowedData::Session(session) => Some(session.held().keeper()),
            BorrowedData::Nothing | BorrowedData::Copy { .. } | BorrowedData::Default { .. } => None,
        }
    }

    pub(super) async fn commit(&mut self, core: &Core, policy: &SessionPolicy) -> Result<(), Error> {
        match std::mem::replace(&mut self.borrowed, BorrowedData::Nothing) {
            BorrowedData::Nothing => {}
            BorrowedData::Session(session) => {
                let (saved, token) = core.save(session).await?;
                self.announcement = match token {
                    Some(token) => TokenChange::set(token, &saved),
                    None => reissued(core, Some(&saved)),
                };
            }
            BorrowedData::Copy { session, data } => {
                if let Some((saved, Some(token))) = Box::pin(core.save_copy(&session, data, policy.wait)).await? {
                    self.announcement = TokenChange::set(token, &saved);
                }
            }
            BorrowedData::Default { data, before } => {
                let mut after = Vec::with_capacity(before.len());
                data.encode(&mut after).map_err(Error::Encode)?;
                if after != before && !self.withheld {
                    let (started, token) = core.create(data, Login::default(), None).await?;
                    self.announcement = TokenChange::set(token, &started);
                }
            }
        }
        Ok(())
    }

    pub(super) fn discard(&mut self) {
        self.borrowed = BorrowedData::Nothing;
    }

    pub(super) fn announcement(&mut self) -> TokenChange {
        std::mem::take(&mut self.announcement)
    }
}
