//! The place for a session, and a session about to start there.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Outcome, Token, TokenChange};
use crate::error::Error;
use crate::sessions::{Core, LoadedSession, Login, SessionData, Snapshot};

/// The place for a session, empty or not: what a login handler takes.
pub struct SessionSlot<T: SessionData> {
    core: Core,
    current: Mutex<Option<Snapshot<T>>>,
    outcome: Arc<Outcome>,
}

impl<T: SessionData> SessionSlot<T> {
    pub(crate) fn new(core: Core, current: Option<LoadedSession>, outcome: Arc<Outcome>) -> Self {
        Self { core, current: Mutex::new(current.map(Snapshot::of)), outcome }
    }

    /// The session that is here, as it was when the request arrived or as this handler started it.
    #[doc = include_str!("../docs/examples/slot_get.md")]
    pub fn get(&self) -> Option<Snapshot<T>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, snapshot: Option<Snapshot<T>>, change: TokenChange) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
        self.outcome.put(change);
    }

    /// Starts a session with this data, when it is awaited, always under a new id. A session that is here already
    /// ends.
    #[doc = include_str!("../docs/examples/slot_start.md")]
    pub fn start(&self, data: T) -> Start<'_, T> {
        Start { slot: self, data, login: Login::default() }
    }

    /// Ends the session that is here, in the store and at the client. Without one it does nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down: the session then goes on.
    #[doc = include_str!("../docs/examples/slot_end.md")]
    pub async fn end(&self) -> Result<(), Error> {
        if let Some(current) = self.get() {
            self.core.delete(&current.loaded).await?;
            self.put(None, TokenChange::Removed);
        }
        Ok(())
    }

    /// The token that the response will carry, if it carries a new one: after [`start`](Self::start).
    #[doc = include_str!("../docs/examples/slot_token.md")]
    pub fn token(&self) -> Option<Token> {
        self.outcome.token()
    }

    async fn begin(&self, data: T, login: Login) -> Result<(), Error> {
        let former = self.get().map(|former| former.loaded);
        let (started, token) = self.core.start(Box::new(data), login, former).await?;
        let change = TokenChange::set(token, &started);
        self.put(Some(Snapshot::of(started)), change);
        Ok(())
    }
}

impl<T: SessionData> fmt::Debug for SessionSlot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSlot")
            .field("session", &self.get().map(|session| session.public_id()))
            .finish_non_exhaustive()
    }
}

/// A session about to start: await it.
///
/// # Errors
/// [`Error::Encode`] if the data can't be written, [`Error::Unavailable`] if the backend is down,
/// [`Error::TooManySessions`] if the owner has as many as allowed and `on_excess = refuse`,
/// [`Error::NoLifetime`] if its lifetime or its idle timeout would be less than a second. No session has started then, and the one that
/// was here lives on.
#[must_use = "a session starts when this is awaited"]
pub struct Start<'a, T: SessionData> {
    slot: &'a SessionSlot<T>,
    data: T,
    login: Login,
}

impl<T: SessionData> Start<'_, T> {
    /// The lifetime of this session: at most the `lifetime` of its type, which is the default. Less than a second is
    /// [`Error::NoLifetime`] when the session is started.
    #[doc = include_str!("../docs/examples/start_lifetime.md")]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.login.lifetime = Some(lifetime);
        self
    }

    /// The moment at which this session ends, such as the end of the access that an identity provider has granted. The
    /// end of its lifetime comes first if it is earlier. Less than a second from now is [`Error::NoLifetime`] when the
    /// session is started.
    #[doc = include_str!("../docs/examples/start_until.md")]
    pub fn until(mut self, end: SystemTime) -> Self {
        self.login.until = Some(end.into());
        self
    }

    /// The idle timeout of this session: at most the `idle` of its type, which is the default. So a login on a shared
    /// computer ends sooner when nobody uses it. Less than a second is [`Error::NoLifetime`] when the session is started.
    ///
    /// It holds for the whole session, on every backend. The token is 20 characters longer. While processes with an older
    /// release of this library serve the same sessions, those do not accept such a token: deploy first, then use it.
    #[doc = include_str!("../docs/examples/start_idle.md")]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.login.idle = Some(idle);
        self
    }

    /// Whether this session's cookie outlives the browser, with a `Max-Age` of what is left of its lifetime (default:
    /// the type's `cookie(persistent)`). It holds for every later cookie of the session, too.
    #[doc = include_str!("../docs/examples/start_persistent.md")]
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.login.persistent = Some(persistent);
        self
    }

    /// What the person will recognize the session by in a list of devices, such as the browser's name. At most 255
    /// bytes are kept. [`Listing::label`](crate::Listing::label) returns it.
    #[doc = include_str!("../docs/examples/start_label.md")]
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.login.label = Some(label.into());
        self
    }
}

impl<'a, T: SessionData> IntoFuture for Start<'a, T> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.slot.begin(self.data, self.login))
    }
}

impl<T: SessionData> fmt::Debug for Start<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start(..)")
    }
}
