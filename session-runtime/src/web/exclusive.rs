//! A session that a handler takes exclusively.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use http::request::Parts;

use super::authorize::{Absence, Caller, check_fresh, receive, turn_away, verify};
use super::device;
use super::handler::KeptLeases;
use super::handler_session::reissued;
use super::held;
use super::page_load::loads_page;
use super::passive::only_looks;
use super::problem::{self, Rejection};
use super::session_policy::{Demand, SessionPolicy};
use super::withheld::is_withheld;
use crate::clock::Timestamp;
use crate::declaration::Transport;
use crate::error::Error;
use crate::guard::Access;
use crate::lease::LeaseKeeper;
use crate::record::SessionMeta;
use crate::session::TokenChange;
use crate::sessions::{self, BoxedData, Core, Credential, ErasedData, LoadedSession, Login, TokenEntry};
use crate::telemetry;

/// A session that is lent exclusively.
pub(super) struct ExclusiveBorrow {
    entry: Option<Arc<TokenEntry>>,
    /// When the token was presented: a body may take its time.
    presented: Timestamp,
    /// Kept where somebody is still to be asked about them: `verify`, an async guard, or a handler that answers those
    /// whose session turns out to have ended.
    parts: Option<Box<Parts>>,
    /// Whether the request only looks.
    looks: bool,
    /// Whether it takes the flash.
    reads: bool,
    /// Whether the browser may have a session whose cookie it kept back: a default is not stored over it.
    withheld: bool,
    /// What came of the device that the session may be bound to.
    device: device::Presented,
    borrowed: BorrowedData,
    announcement: TokenChange,
}

enum BorrowedData {
    Nothing,
    Session(Box<sessions::ExclusiveSession>),
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
    pub(super) async fn announced(core: &Core, demand: &Demand, parts: &Parts) -> Result<(Self, Transport), Rejection> {
        let policy = demand.policy;
        let presented = core.now();
        let received = receive(core, parts, policy.csrf, presented).await;
        let Caller { entry, by } = received.map_err(|refusal| Rejection::new(core, parts, refusal))?;
        if entry.is_none() && policy.access == Access::Protected {
            let refusal = Box::pin(turn_away(core, Absence::Anonymous, demand.missing(), Some(parts))).await;
            return Err(Rejection::new(core, parts, refusal));
        }
        let looks = only_looks(parts);
        if let Some(entry) = &entry
            && !looks
            && held::holder(parts, core, entry).is_some()
        {
            telemetry::held_by_middleware(core.session_type(), &entry.key);
            return Err(Rejection::new(core, parts, problem::held_by_middleware()));
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
        let asked = core.verifies() || policy.async_guard.is_some() || policy.device.is_some();
        let wanted = asked || policy.missing_handler || core.missing().wants_request();
        let reads = !policy.passes_on && loads_page(parts);
        let device = entry.as_ref().map(|entry| device::Presented::of(core, entry, parts)).unwrap_or_default();
        let parts = (entry.is_some() && wanted).then(|| Box::new(parts.clone()));
        let (borrowed, announcement) = (BorrowedData::Nothing, TokenChange::Unchanged);
        Ok((Self { entry, presented, parts, looks, reads, withheld, device, borrowed, announcement }, by))
    }

    /// The token whose session it is going to hold.
    pub(super) fn holds(&self) -> Option<&TokenEntry> {
        self.entry.as_deref().filter(|_| !self.looks)
    }

    pub(super) fn data(&mut self) -> Option<&mut dyn ErasedData> {
        match &mut self.borrowed {
            BorrowedData::Nothing => None,
            BorrowedData::Session(session) => Some(&mut *session.data),
            BorrowedData::Copy { data, .. } | BorrowedData::Default { data, .. } => Some(&mut **data),
        }
    }

    pub(super) async fn enter(&mut self, core: &Core, demand: &Demand) -> Result<(), Response> {
        if self.looks && self.entry.is_some() {
            return Box::pin(self.look(core, demand)).await;
        }
        if let Some(absence) = self.refused(core).await.map_err(Error::into_response)? {
            self.borrowed = self.without_a_session(core, demand, absence).await?;
            return Ok(());
        }
        let acquired = match &self.entry {
            Some(entry) => {
                let credential = Credential::Presented(self.presented);
                core.acquire(entry, credential, demand.policy.wait).await.map_err(Error::into_response)?
            }
            None => None,
        };
        let admitted = match acquired {
            Some(session) => {
                // Whoever is asked may take longer than a lease.
                let lease = KeptLeases::from(session.held().keeper());
                let admits = self.admits(core, demand, &*session.data, session.entry(), session.meta());
                let admitted = lease.hold(admits).await;
                if !matches!(admitted, Ok(Ok(()))) {
                    // The refusal tells what was read, which may not be stored yet.
                    session.held().committed().await.map_err(Error::into_response)?;
                }
                admitted?.map(|()| session)
            }
            None => Err(Absence::Anonymous),
        };
        self.borrowed = match admitted {
            Ok(mut session) => {
                session.lend(core.schema(), self.reads).map_err(Error::into_response)?;
                BorrowedData::Session(session)
            }
            Err(absence) => self.without_a_session(core, demand, absence).await?,
        };
        Ok(())
    }

    /// Why the session may not be used, if that is to be known before it is: taking it is a use.
    async fn refused(&self, core: &Core) -> Result<Option<Absence>, Error> {
        let Some(entry) = self.entry.as_ref().filter(|entry| self.device.is_doubtful(core, entry)) else {
            return Ok(None);
        };
        let now = core.now();
        let Some(session) = Box::pin(core.look(entry)).await? else { return Ok(None) };
        device::note(core, &session, now);
        Ok(self.device.absence(core, entry, &session.decoded.meta))
    }

    /// The same for a request that only looks.
    async fn look(&mut self, core: &Core, demand: &Demand) -> Result<(), Response> {
        let found = match &self.entry {
            Some(entry) => core.look(entry).await.map_err(Error::into_response)?,
            None => None,
        };
        let admitted = match found {
            Some(session) => {
                let meta = &session.decoded.meta;
                self.admits(core, demand, session.data(), &session.entry, meta).await?.map(|()| session)
            }
            None => Err(Absence::Anonymous),
        };
        self.borrowed = match admitted {
            Ok(session) => {
                let data = core.copy_of(&session).map_err(Error::into_response)?;
                BorrowedData::Copy { session, data }
            }
            Err(absence) => self.without_a_session(core, demand, absence).await?,
        };
        Ok(())
    }

    /// Asks whether the request may use the session: its device and `verify`, for which it may be none, then how fresh it is to be, and
    /// the guard.
    async fn admits(
        &self,
        core: &Core,
        demand: &Demand,
        data: &dyn ErasedData,
        entry: &TokenEntry,
        meta: &SessionMeta,
    ) -> Result<Result<(), Absence>, Response> {
        let parts = self.parts.as_deref();
        if let Some(absence) = self.device.absence(core, entry, meta) {
            return Ok(Err(absence));
        }
        if let Some(parts) = parts
            && !verify(core, data, parts).await?
        {
            return Ok(Err(Absence::Unverified));
        }
        check_fresh(core, meta.authenticated_at, demand.policy.fresh, || demand.missing(), parts).await?;
        self.device.recent(core, entry, meta, demand.policy.device, parts)?;
        demand.guard(data, Some(meta), parts).await?;
        Ok(Ok(()))
    }

    /// What is lent where there is no session.
    async fn without_a_session(
        &self,
        core: &Core,
        demand: &Demand,
        absence: Absence,
    ) -> Result<BorrowedData, Response> {
        if demand.policy.access == Access::Protected {
            return Err(Box::pin(turn_away(core, absence, demand.missing(), self.parts.as_deref())).await);
        }
        let Some(data) = (demand.policy.default)() else { return Ok(BorrowedData::Nothing) };
        demand.guard(&*data, None, self.parts.as_deref()).await?;
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
                    let (started, token) = Box::pin(core.create(data, Login::default(), None)).await?;
                    self.announcement = TokenChange::set(token, &started);
                }
            }
        }
        Ok(())
    }

    /// Whether a default is lent, since there is no session.
    pub(super) fn lends_default(&self) -> bool {
        matches!(self.borrowed, BorrowedData::Default { .. })
    }

    /// Forgets what the handler changed. Its answer may tell what it has read, which has to be stored by then.
    pub(super) async fn discard(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.borrowed, BorrowedData::Nothing) {
            BorrowedData::Session(session) => session.held().committed().await,
            BorrowedData::Nothing | BorrowedData::Copy { .. } | BorrowedData::Default { .. } => Ok(()),
        }
    }

    pub(super) fn announcement(&mut self) -> TokenChange {
        std::mem::take(&mut self.announcement)
    }
}
