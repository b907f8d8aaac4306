//! The owned handle on a session, and what a handler did to the client's token.

mod slot;
mod started;

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Instant, SystemTime};

use serde::Serialize;
use tracing::Instrument as _;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::PublicId;
use crate::sessions::{
    Core, LoadedSession, MAX_RETRIES, Rotation, SessionData, Snapshot, TokenEntry, UntilEnded, typed_mut,
};
use crate::telemetry;

pub use self::slot::{SessionSlot, Start};
pub use self::started::Started;

/// What a handler did to the client's token: told to the client with the handler's answer.
#[derive(Debug, Default)]
pub(crate) struct Outcome(Mutex<TokenChange>);

/// A change of the token that the client holds.
#[derive(Default)]
pub(crate) enum TokenChange {
    /// None: no cookie is sent.
    #[default]
    Unchanged,
    /// The client gets this one, for as long as the session may live.
    Set {
        token: String,
        /// The session's last moment.
        expires: Timestamp,
        /// Whether its cookie outlives the browser, where the login said so.
        persistent: Option<bool>,
        entry: Arc<TokenEntry>,
        /// Whether the session is bound to a device.
        #[cfg_attr(not(feature = "device-bound"), expect(dead_code, reason = "nobody is offered to bind it"))]
        bound: bool,
        /// When it was in force for certain, if that is known.
        known: Option<Instant>,
    },
    /// The client's is taken away.
    Removed,
}

impl TokenChange {
    /// The client gets this token, which was stored just now.
    pub(crate) fn set(token: String, session: &LoadedSession) -> Self {
        Self::new(token, session, Some(Instant::now()))
    }

    /// The client gets this token, which nobody asked for. Whether its session still lives is to be asked.
    pub(crate) fn unasked(token: String, session: &LoadedSession) -> Self {
        Self::new(token, session, None)
    }

    fn new(token: String, session: &LoadedSession, known: Option<Instant>) -> Self {
        let (entry, meta) = (Arc::clone(&session.entry), &session.decoded.meta);
        let (persistent, bound) = (meta.persistent, meta.device.is_some());
        Self::Set { token, expires: session.expires, persistent, entry, bound, known }
    }
}

impl fmt::Debug for TokenChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchanged => "Unchanged",
            Self::Set { .. } => "Set(..)",
            Self::Removed => "Removed",
        })
    }
}

impl Outcome {
    fn put(&self, change: TokenChange) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = change;
    }

    /// The token that the client is about to get.
    fn token(&self) -> Option<Token> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            TokenChange::Set { token, .. } => Some(Token(token.clone())),
            TokenChange::Unchanged | TokenChange::Removed => None,
        }
    }

    pub(crate) fn take(&self) -> TokenChange {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A token that a client is about to get, for an answer that hands it over in its body as well.
///
/// Who has it has the session: `Debug` hides it, and it serializes as its text.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The text, as the client will send it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A session that a handler owns: its data by `Deref`, and methods that change, rotate and end it.
///
/// Each method has taken effect in the store when it returns. A handler gets a `Session` only under
/// `#[session(...)]`, since only that can set the cookie.
pub struct Session<T: SessionData> {
    core: Core,
    snapshot: Snapshot<T>,
    /// The middleware of the same request that holds it by `&mut`, for as long as it does.
    holder: Option<Weak<()>>,
    /// When it ends if nobody uses it, in milliseconds, once a use was noted through this.
    idle_expires: AtomicU64,
    outcome: Arc<Outcome>,
}

impl<T: SessionData> Session<T> {
    pub(crate) fn new(core: Core, loaded: LoadedSession, holder: Option<Weak<()>>, outcome: Arc<Outcome>) -> Self {
        Self { core, snapshot: Snapshot::of(loaded), holder, idle_expires: AtomicU64::new(0), outcome }
    }

    /// Changes the data and stores it; returns what the closure returns.
    ///
    /// The closure sees the data that the request has loaded, and the change is stored if that is still the newest and
    /// nobody holds the session exclusively. Otherwise it runs again on the newest data, under a lease where the backend
    /// has them. So it should do nothing but change the data.
    ///
    /// What it returns is handed on, and the change is stored whatever that is, an `Err` too: check first, then change.
    ///
    /// # Errors
    /// [`Error::Ended`] if the session ended meanwhile, [`Error::Busy`] if others held it exclusively for
    /// too long, [`Error::Conflict`] if other writes kept coming between, [`Error::Unavailable`] if the
    /// backend is down. [`Error::HeldByMiddleware`] if a middleware of the same request holds the session by `&mut`, so that
    /// the change would wait for its own request. Nothing is stored then.
    #[doc = include_str!("../docs/examples/session_update.md")]
    pub async fn update<R>(&mut self, mut change: impl FnMut(&mut T) -> R) -> Result<R, Error> {
        let Self { core, snapshot, holder, outcome, .. } = self;
        if holder.as_ref().is_some_and(|holder| holder.strong_count() > 0) {
            telemetry::held_by_middleware(core.session_type(), &snapshot.loaded.entry.key);
            return Err(Error::HeldByMiddleware);
        }
        let span = telemetry::update_span(core.session_type(), &snapshot.loaded.entry.key);
        let changed = async {
            for attempt in 0..MAX_RETRIES {
                let changed = match core.begin_change(&snapshot.loaded, attempt == 0).await {
                    Ok(mut begun) => {
                        let answer = change(typed_mut(begun.data()));
                        core.finish_change(&snapshot.loaded, begun).await.map(|(saved, token)| (saved, token, answer))
                    }
                    Err(error) => Err(error),
                };
                match changed {
                    Err(Error::Conflict | Error::LeaseLost) => {}
                    other => return other,
                }
            }
            Err(Error::Conflict)
        };
        let (saved, token, answer) = changed.instrument(span).await?;
        if let Some(token) = token {
            outcome.put(TokenChange::set(token, &saved));
        }
        *snapshot = Snapshot::of(saved);
        Ok(answer)
    }

    /// Rotates the session's id: the client gets a new token, and the old one is dead at once. Call it when what the
    /// session may do changes. If a field says that, mark it `#[session(privilege)]` and it happens by itself.
    ///
    /// # Errors
    /// [`Error::Ended`] if the session ended meanwhile, [`Error::Unavailable`] if the backend is down.
    #[doc = include_str!("../docs/examples/session_rotate_id.md")]
    pub async fn rotate_id(&mut self) -> Result<(), Error> {
        self.change_id(Rotation::Explicit).await
    }

    /// Notes that the person authenticated just now, and rotates the session's id: the client gets a new token, and
    /// the old one is dead at once. Handlers with `fresh` then accept the session again.
    ///
    /// # Errors
    /// [`Error::Ended`] if the session ended meanwhile, [`Error::Unavailable`] if the backend is down.
    #[doc = include_str!("../docs/examples/session_mark_reauthenticated.md")]
    pub async fn mark_reauthenticated(&mut self) -> Result<(), Error> {
        self.change_id(Rotation::Reauthenticated).await
    }

    async fn change_id(&mut self, rotation: Rotation) -> Result<(), Error> {
        let (rotated, token) = self.core.rotate(&self.snapshot.loaded, rotation).await?;
        self.outcome.put(TokenChange::set(token, &rotated));
        self.snapshot = Snapshot::of(rotated);
        Ok(())
    }

    /// Ends the session, in the store and at the client. By value: a use after it does not compile.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down: the session then goes on.
    #[doc = include_str!("../docs/examples/session_end.md")]
    pub async fn end(self) -> Result<(), Error> {
        self.core.log_out(&self.snapshot.loaded).await?;
        self.outcome.put(TokenChange::Removed);
        Ok(())
    }

    /// The token that the response will carry, if it carries a new one: after [`rotate_id`](Self::rotate_id).
    #[doc = include_str!("../docs/examples/session_token.md")]
    pub fn token(&self) -> Option<Token> {
        self.outcome.token()
    }

    /// Waits until the session has ended, on any machine: by a logout, by an administrator, or by its timeouts.
    /// A rotation does not end it, nor does a backend that is down.
    ///
    /// For connections that outlive the request: a `Session` moves into a WebSocket or a stream, which closes when
    /// this completes, within a second of the end.
    ///
    /// ```no_run
    /// # use session_runtime::{Session, SessionData};
    /// # #[derive(serde::Serialize, serde::Deserialize, SessionData)]
    /// # struct User { name: String }
    /// # async fn next_message() -> Option<String> { None }
    /// async fn serve(session: Session<User>) {
    ///     let mut ended = session.ended();
    ///     loop {
    ///         tokio::select! {
    ///             _ = &mut ended => break,
    ///             message = next_message() => println!("{}: {message:?}", session.name),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// Waiting does not count as use: a person who does nothing else is logged out after the idle timeout.
    /// [`keep_alive`](UntilEnded::keep_alive) makes the open connection count, [`touch`](Self::touch) a message
    /// that came over it.
    ///
    /// Memory and Redis tell of an end at once; other stores are looked at twice a second. With `backend = cookie`
    /// nothing can end the session before its lifetime does.
    pub fn ended(&self) -> UntilEnded {
        self.core.until_ended(&self.snapshot.loaded)
    }

    /// Notes a use of the session: its idle timeout starts again, as it does with every request.
    ///
    /// # Errors
    /// [`Error::Ended`] if the session has ended or expired, [`Error::Unavailable`] if the backend is down.
    #[doc = include_str!("../docs/examples/session_touch.md")]
    pub async fn touch(&self) -> Result<(), Error> {
        let idle_expires = self.core.slide(&self.snapshot.loaded.entry).await?;
        self.idle_expires.fetch_max(idle_expires.as_millis(), Ordering::Relaxed);
        Ok(())
    }

    /// The session's name for logs and pages: a hash, of no use to an attacker.
    #[doc = include_str!("../docs/examples/session_public_id.md")]
    pub fn public_id(&self) -> PublicId {
        self.snapshot.public_id()
    }

    /// Whether the session is bound to a device, since when, and when its key was last proved, as far as the store has
    /// noted it. For what needs a newer proof write `device = "1m"` on the handler.
    #[cfg(feature = "device-bound")]
    #[doc = include_str!("../docs/examples/session_device.md")]
    pub fn device(&self) -> crate::sessions::Device {
        self.snapshot.device()
    }

    /// When the session started.
    #[doc = include_str!("../docs/examples/session_created_at.md")]
    pub fn created_at(&self) -> SystemTime {
        self.snapshot.created_at()
    }

    /// When the session's lifetime ends, however much it is used.
    #[doc = include_str!("../docs/examples/session_expires_at.md")]
    pub fn expires_at(&self) -> SystemTime {
        self.snapshot.expires_at()
    }

    /// When the session ends if nobody uses it: the idle timeout after its last use, or the end of its lifetime if that is
    /// earlier. A use is this request, [`touch`](Self::touch) or a change; under `touch = off` it is the last request
    /// before that the store has noted. The end may be a sixteenth of the idle timeout later then, at most a minute.
    #[doc = include_str!("../docs/examples/session_idle_expires_at.md")]
    pub fn idle_expires_at(&self) -> SystemTime {
        let touched = Timestamp::from_millis(self.idle_expires.load(Ordering::Relaxed));
        self.snapshot.loaded.idle_expires.max(touched).into()
    }
}

impl<T: SessionData> Deref for Session<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.snapshot
    }
}

impl<T: SessionData> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.public_id()).finish_non_exhaustive()
    }
}
