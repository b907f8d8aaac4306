//! The place for a session, and a session about to start there.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Outcome, Started, Token, TokenChange};
use crate::error::Error;
use crate::sessions::{Core, LoadedSession, Login, SessionData, Sessions, Snapshot};

/// The place for a session, empty or not: what a login handler takes.
pub struct SessionSlot<T: SessionData> {
    core: Core,
    current: Mutex<Option<Snapshot<T>>>,
    /// Whether the request's token names a live session that the request may not use.
    is_refused: bool,
    outcome: Arc<Outcome>,
}

impl<T: SessionData> SessionSlot<T> {
    pub(crate) fn new(core: Core, current: Option<LoadedSession>, is_refused: bool, outcome: Arc<Outcome>) -> Self {
        Self { core, current: Mutex::new(current.map(Snapshot::of)), is_refused, outcome }
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
        Start::new(Place::Slot(self), data)
    }

    /// Ends the session that is here, in the store and at the client. Without one it does nothing, unless the client's token
    /// names a session that the request may not use: `verify` says no, or it is bound to a device that has not proved its
    /// key. Such a session goes on, since whoever asks may be a thief, and the client forgets its token.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down: the session then goes on.
    #[doc = include_str!("../docs/examples/slot_end.md")]
    pub async fn end(&self) -> Result<(), Error> {
        if let Some(current) = self.get() {
            self.core.log_out(&current.loaded).await?;
            self.put(None, TokenChange::Removed);
        } else if self.is_refused {
            self.outcome.put(TokenChange::Removed);
        }
        Ok(())
    }

    /// The token that the response will carry, if it carries a new one: after [`start`](Self::start).
    #[doc = include_str!("../docs/examples/slot_token.md")]
    pub fn token(&self) -> Option<Token> {
        self.outcome.token()
    }
}

impl<T: SessionData> fmt::Debug for SessionSlot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSlot")
            .field("session", &self.get().map(|session| session.public_id()))
            .finish_non_exhaustive()
    }
}

/// Where a session starts.
enum Place<'a, T: SessionData> {
    Slot(&'a SessionSlot<T>),
    /// For no request: whoever asks hands over the token.
    Apart(&'a Core),
}

impl<T: SessionData> Sessions<T> {
    /// Starts a session without a request's slot, when it is awaited, always under a new id: for tests, jobs, and code that
    /// answers in another way, such as a GraphQL resolver or the callback of an identity provider.
    ///
    /// The result has the token, and the headers by which a client hands it over. In a response it sets them itself:
    /// `(started, Redirect::to("/"))`. Nothing is known of the client here, so a session that it had before goes on; a
    /// handler that logs people in takes [`SessionSlot`], which ends it. Nor is it known where the page is: the cookie is
    /// `Secure` also under `http_on_localhost`, and Safari does not keep it on plain http.
    ///
    /// # Errors
    /// As [`Start`].
    #[doc = include_str!("../docs/examples/sessions_start.md")]
    pub fn start(&self, data: T) -> Start<'_, T, Started> {
        Start::new(Place::Apart(self.core()), data)
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
pub struct Start<'a, T: SessionData, O = ()> {
    place: Place<'a, T>,
    data: T,
    login: Login,
    output: PhantomData<fn() -> O>,
}

impl<'a, T: SessionData, O> Start<'a, T, O> {
    fn new(place: Place<'a, T>, data: T) -> Self {
        Self { place, data, login: Login::default(), output: PhantomData }
    }
}

impl<T: SessionData, O> Start<'_, T, O> {
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

impl<'a, T: SessionData, O> Start<'a, T, O> {
    fn begin<R>(
        self,
        answer: impl FnOnce(&Core, LoadedSession, String) -> R + Send + 'a,
    ) -> Pin<Box<dyn Future<Output = Result<R, Error>> + Send + 'a>> {
        let Self { place, data, login, output: _ } = self;
        Box::pin(async move {
            let (core, former) = match &place {
                Place::Slot(slot) => (&slot.core, slot.get().map(|former| former.loaded)),
                Place::Apart(core) => (*core, None),
            };
            let (started, token) = core.start(Box::new(data), login, former).await?;
            if let Place::Slot(slot) = place {
                slot.put(Some(Snapshot::of(started.clone())), TokenChange::set(token.clone(), &started));
            }
            Ok(answer(core, started, token))
        })
    }
}

impl<'a, T: SessionData> IntoFuture for Start<'a, T> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        self.begin(|_, _, _| ())
    }
}

impl<'a, T: SessionData> IntoFuture for Start<'a, T, Started> {
    type Output = Result<Started, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        self.begin(|core, session, token| Started::new(core.clone(), session, token))
    }
}

impl<T: SessionData, O> fmt::Debug for Start<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start(..)")
    }
}
