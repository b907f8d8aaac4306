//! A session in a handler: how it comes in, what is lent of it, and how it leaves.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::request::Parts;

use super::authorize::{Admitted, admit};
use super::domain::at_domain;
use super::exclusive::ExclusiveBorrow;
use super::held;
use super::page_load::loads_page;
use super::passive::Reading;
use super::problem::Rejection;
use super::problem_format::ProblemFormat;
use super::session_policy::Demand;
use super::transport;
use super::vary::vary;
use crate::declaration::Transport;
use crate::error::Error;
use crate::lease::LeaseKeeper;
use crate::session::{Outcome, Session, SessionSlot, TokenChange};
use crate::sessions::{BoxedData, Core, LoadedSession, SessionData, typed, typed_mut};

/// A session in a handler.
pub struct HandlerSession {
    core: Core,
    by: Transport,
    demand: Demand,
    /// How the client wants to be told of a problem.
    format: ProblemFormat,
    /// Whether the request only looks: nothing is noted, taken or rotated by it.
    looks: bool,
    /// Whether it loads a page, and there is a flash for it to take.
    takes_flash: bool,
    /// A middleware's word to those behind it that it holds its session.
    holds: Option<Arc<()>>,
    borrow: BorrowKind,
}

/// A member on its way from an extractor into its handler. It is `Send` by its word, as the compiler asks many times for
/// each handler, and would look through all that is in there each time.
pub struct ErasedHandlerSession(Box<dyn IntoHandlerSession>);

trait IntoHandlerSession: Send {
    fn into_handler_session(self: Box<Self>) -> Box<HandlerSession>;
}

impl IntoHandlerSession for HandlerSession {
    fn into_handler_session(self: Box<Self>) -> Box<HandlerSession> {
        self
    }
}

impl From<Box<HandlerSession>> for ErasedHandlerSession {
    fn from(session: Box<HandlerSession>) -> Self {
        Self(session)
    }
}

impl From<ErasedHandlerSession> for Box<HandlerSession> {
    fn from(session: ErasedHandlerSession) -> Self {
        session.0.into_handler_session()
    }
}

/// What a handler takes of its session.
enum BorrowKind {
    /// Its data, to read.
    Shared { loaded: Option<LoadedSession>, token: Option<String>, default: Option<BoxedData> },
    /// The session itself, or its place.
    Owned {
        loaded: Option<LoadedSession>,
        /// The middleware of the same request that holds it.
        holder: Option<Weak<()>>,
        is_refused: bool,
        token: Option<String>,
        outcome: Arc<Outcome>,
    },
    /// Its data, to change.
    Exclusive(Box<ExclusiveBorrow>),
}

const ADMITTED: &str = "without a session or a default the request was turned away";

impl HandlerSession {
    /// For `&T`, `Option<&T>`, and a type that is guarded without a parameter.
    pub(super) async fn shared(core: Core, demand: Demand, parts: &Parts) -> Result<Box<Self>, Rejection> {
        let core = placed(core, parts)?;
        let Admitted { core, loaded, is_refused: _, by, reading } = admit(core, &demand, parts).await?;
        let default = if loaded.is_none() { (demand.policy.default)() } else { None };
        if let Some(data) = &default {
            demand.guard(&**data, None, Some(parts)).await.map_err(|refusal| Rejection::new(&core, parts, refusal))?;
        }
        let borrow = BorrowKind::Shared { loaded, token: None, default };
        Ok(Self::new(core, by, (demand, reading), parts, borrow))
    }

    /// For `Session<T>`, `Option<Session<T>>` and `SessionSlot<T>`.
    pub(super) async fn owned(core: Core, demand: Demand, parts: &Parts) -> Result<Box<Self>, Rejection> {
        let core = placed(core, parts)?;
        let Admitted { core, loaded, is_refused, by, reading } = admit(core, &demand, parts).await?;
        let holder = loaded.as_ref().and_then(|loaded| held::holder(parts, &core, &loaded.entry));
        let borrow = BorrowKind::Owned { loaded, holder, is_refused, token: None, outcome: Arc::default() };
        Ok(Self::new(core, by, (demand, reading), parts, borrow))
    }

    /// For `&mut T` and `Option<&mut T>`: only the token is checked while extractors run; the session is locked
    /// and loaded after all of them have succeeded.
    pub(super) async fn exclusive(core: Core, demand: Demand, parts: &Parts) -> Result<Box<Self>, Rejection> {
        let core = placed(core, parts)?;
        let (exclusive, by) = ExclusiveBorrow::announced(&core, &demand, parts).await?;
        let reading = Reading::of(parts, demand.policy.touches);
        Ok(Self::new(core, by, (demand, reading), parts, BorrowKind::Exclusive(Box::new(exclusive))))
    }

    /// A middleware tells those behind it what it holds.
    pub(super) fn note_held(&mut self, parts: &mut Parts) {
        if let BorrowKind::Exclusive(exclusive) = &self.borrow
            && self.demand.policy.passes_on
            && let Some(entry) = exclusive.holds()
        {
            self.holds = Some(held::hold(parts, &self.core, entry));
        }
    }

    fn new(
        core: Core,
        by: Transport,
        (demand, reading): (Demand, Reading),
        parts: &Parts,
        borrow: BorrowKind,
    ) -> Box<Self> {
        let looks = reading == Reading::Look;
        let has_flash = match &borrow {
            BorrowKind::Shared { loaded: Some(loaded), .. } => loaded.data().has_flash(),
            _ => false,
        };
        // A flash is for the page, and not for a middleware before it.
        let takes_flash = has_flash && !looks && !demand.policy.passes_on && loads_page(parts);
        let format = ProblemFormat::of(&parts.headers);
        Box::new(Self { core, by, demand, format, looks, takes_flash, holds: None, borrow })
    }

    /// The data, for `&T`.
    pub fn lend<T: SessionData>(&mut self) -> &T {
        self.lend_optional().expect(ADMITTED)
    }

    /// The data, for `Option<&T>`.
    pub fn lend_optional<T: SessionData>(&mut self) -> Option<&T> {
        let BorrowKind::Shared { loaded, default, .. } = &self.borrow else { return None };
        loaded.as_ref().map(LoadedSession::data).or(default.as_deref()).map(typed)
    }

    /// The data, for `&mut T`.
    pub fn lend_mut<T: SessionData>(&mut self) -> &mut T {
        self.lend_mut_optional().expect(ADMITTED)
    }

    /// The data, for `Option<&mut T>`.
    pub fn lend_mut_optional<T: SessionData>(&mut self) -> Option<&mut T> {
        let BorrowKind::Exclusive(exclusive) = &mut self.borrow else { return None };
        exclusive.data().map(typed_mut)
    }

    /// The handle, for `Session<T>`.
    pub fn give<T: SessionData>(&mut self) -> Session<T> {
        self.give_optional().expect(ADMITTED)
    }

    /// The handle, for `Option<Session<T>>`.
    pub fn give_optional<T: SessionData>(&mut self) -> Option<Session<T>> {
        let BorrowKind::Owned { loaded, holder, outcome, .. } = &self.borrow else { return None };
        Some(Session::new(self.core.clone(), loaded.clone()?, holder.clone(), Arc::clone(outcome)))
    }

    /// The slot, for `SessionSlot<T>`.
    pub fn give_slot<T: SessionData>(&mut self) -> SessionSlot<T> {
        let (loaded, is_refused, outcome) = match &self.borrow {
            BorrowKind::Owned { loaded, is_refused, outcome, .. } => (loaded.clone(), *is_refused, Arc::clone(outcome)),
            _ => Default::default(),
        };
        SessionSlot::new(self.core.clone(), loaded, is_refused, outcome)
    }

    /// Locks are taken in this order, the same in every handler, so that two never wait for each other.
    pub(super) fn order(&self) -> &str {
        self.core.purpose()
    }

    pub(super) fn is_exclusive(&self) -> bool {
        matches!(self.borrow, BorrowKind::Exclusive(_))
    }

    /// Whether entering does anything.
    pub(super) fn has_to_enter(&self) -> bool {
        match &self.borrow {
            BorrowKind::Exclusive(_) => true,
            BorrowKind::Shared { loaded, .. } => loaded.as_ref().is_some_and(|loaded| {
                let has_flash = self.demand.policy.lends && loaded.data().has_flash();
                has_flash || !self.looks && self.core.pending(loaded, false).is_some()
            }),
            BorrowKind::Owned { loaded, .. } => {
                !self.looks && loaded.as_ref().is_some_and(|loaded| self.core.pending(loaded, false).is_some())
            }
        }
    }

    /// What is left to do once every extractor has succeeded.
    pub(super) async fn enter(&mut self) -> Result<(), Response> {
        match &mut self.borrow {
            // Boxed, since a future has room for what its largest part needs.
            BorrowKind::Exclusive(exclusive) => Box::pin(exclusive.enter(&self.core, &self.demand)).await,
            BorrowKind::Shared { .. } | BorrowKind::Owned { .. } => Ok(()),
        }
    }

    /// What entering brings with it, once every session has been entered: nobody turns the request away after it.
    pub(super) async fn apply_pending(&mut self) -> Result<(), Response> {
        let (loaded, token, reads) = match &mut self.borrow {
            BorrowKind::Shared { loaded: Some(loaded), token, .. } => (loaded, token, self.demand.policy.lends),
            BorrowKind::Owned { loaded: Some(loaded), token, .. } => (loaded, token, false),
            _ => return Ok(()),
        };
        let takes = reads && self.takes_flash;
        let pending = if self.looks { None } else { self.core.pending(loaded, takes) };
        if let Some(pending) = pending {
            let applied = Box::pin(self.core.apply(loaded, pending)).await;
            (*loaded, *token) = applied.map_err(Error::into_response)?;
        }
        if reads
            && !takes
            && let Some(seen) = self.core.passed_by(loaded).map_err(Error::into_response)?
        {
            *loaded = seen;
        }
        Ok(())
    }

    /// What keeps its lease alive.
    pub(super) fn keeper(&self) -> Option<LeaseKeeper> {
        match &self.borrow {
            BorrowKind::Exclusive(exclusive) => exclusive.keeper(),
            BorrowKind::Shared { .. } | BorrowKind::Owned { .. } => None,
        }
    }

    /// Stores what the handler changed.
    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        match &mut self.borrow {
            BorrowKind::Exclusive(exclusive) => Box::pin(exclusive.commit(&self.core, self.demand.policy)).await,
            BorrowKind::Shared { .. } | BorrowKind::Owned { .. } => Ok(()),
        }
    }

    /// Whether the handler is a middleware.
    pub(super) fn passes_on(&self) -> bool {
        self.demand.policy.passes_on
    }

    /// Whether a handler behind this middleware has told the client another token than that of the default which the
    /// middleware has.
    pub(super) fn is_superseded(&self, headers: &HeaderMap) -> bool {
        let lends_default = matches!(&self.borrow, BorrowKind::Exclusive(exclusive) if exclusive.lends_default());
        lends_default && self.passes_on() && transport::is_told(&self.core, &self.by, headers)
    }

    /// Takes what one answer tells of tokens into another one.
    pub(super) fn pass_tokens(&self, from: &HeaderMap, to: &mut HeaderMap) {
        transport::pass(&self.by, from, to);
    }

    /// Whether what the handler changed is stored whatever it answers.
    pub(super) fn saves_always(&self) -> bool {
        self.demand.policy.saves_always
    }

    /// Forgets what the handler changed.
    pub(super) async fn discard(&mut self) -> Result<(), Error> {
        match &mut self.borrow {
            BorrowKind::Exclusive(exclusive) => Box::pin(exclusive.discard()).await,
            BorrowKind::Shared { .. } | BorrowKind::Owned { .. } => Ok(()),
        }
    }

    /// What the client has to be told.
    pub(super) fn announcement(&mut self) -> TokenChange {
        let (loaded, token) = match &mut self.borrow {
            BorrowKind::Exclusive(exclusive) => return exclusive.announcement(),
            BorrowKind::Shared { loaded, token, .. } => (loaded, token),
            BorrowKind::Owned { loaded, token, outcome, .. } => match outcome.take() {
                TokenChange::Unchanged => (loaded, token),
                change => return change,
            },
        };
        if self.looks { TokenChange::Unchanged } else { entered(&self.core, loaded.as_ref(), token.take()) }
    }

    /// Writes it into the answer's headers.
    ///
    /// # Errors
    /// The cookie is too large: nothing was written.
    pub(super) async fn announce(&self, change: TokenChange, headers: &mut HeaderMap) -> Result<(), Error> {
        announce(&self.core, &self.by, change, headers).await
    }

    /// Gives an answer that tells of a problem the form that the client wants.
    pub(super) fn format(&self, response: &mut Response) {
        self.format.apply(response);
    }

    /// Says in an answer's headers what it depends on.
    pub(super) fn vary(&self, headers: &mut HeaderMap) {
        vary(&self.core, headers);
    }
}

/// The sessions at the request's domain.
fn placed(core: Core, parts: &Parts) -> Result<Core, Rejection> {
    match core.has_domain_by_request() {
        false => Ok(core),
        true => at_domain(&core, parts).map_err(|denied| denied.into_rejection(&core, parts)),
    }
}

/// Writes a change of the token into an answer's headers. A token that has died while its handler ran is not told: the
/// client may have a better one by now, of another login, and would lose it.
pub(super) async fn announce(
    core: &Core,
    by: &Transport,
    change: TokenChange,
    headers: &mut HeaderMap,
) -> Result<(), Error> {
    vary(core, headers);
    // By a handler behind a middleware, in the same request.
    let told = !matches!(change, TokenChange::Unchanged) && transport::is_told(core, by, headers);
    match &change {
        // What nobody asked for is not worth more than what was told, nor is the end of a session that another one has
        // replaced since.
        TokenChange::Set { known: None, .. } | TokenChange::Removed if told => return Ok(()),
        TokenChange::Set { entry, known, .. }
            if (told || known.is_none_or(|known| known.elapsed() >= CERTAIN))
                // Boxed, as few tokens are asked about.
                && !Box::pin(core.is_in_force(entry)).await =>
        {
            return Ok(());
        }
        _ => {}
    }
    if told {
        transport::take_back(core, by, headers);
    }
    transport::announce(core, by, &change, headers)?;
    if core.schema().clear_site_data && matches!(change, TokenChange::Removed) {
        transport::clear_site_data(headers);
    }
    Ok(())
}

/// How long a token that a handler asked for counts as in force without a question.
const CERTAIN: Duration = Duration::from_secs(1);

/// A new token, where the one that was presented is due for one. How long ago its session was read isn't known.
pub(super) fn reissued(core: &Core, session: Option<&LoadedSession>) -> TokenChange {
    session.and_then(|session| Some(TokenChange::unasked(core.reissue(session)?, session))).unwrap_or_default()
}

/// The token of a session that was rotated when it was entered, or one that is due for another reason.
pub(super) fn entered(core: &Core, session: Option<&LoadedSession>, token: Option<String>) -> TokenChange {
    match (session, token) {
        (Some(session), Some(token)) => TokenChange::unasked(token, session),
        (session, _) => reissued(core, session),
    }
}
