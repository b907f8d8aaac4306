//! A type's `on_end`: what is called when one of its sessions has ended.
//!
//! Nobody waits for it. Each call is a task of its own, and only some run at once, so that an owner's hundred sessions that
//! end together are not a hundred connections to whatever the function asks.

use std::fmt::Display;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::SessionData;
use super::all::StoredSession;
use super::ending::Found;
use crate::guard::{NotCalled, Nothing};
use crate::telemetry;

/// How many calls run at once, for each type.
const AT_ONCE: usize = 16;
/// How many sessions that have ended wait for their call, besides those that run.
const WAITING: usize = 10_000;
/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Why a session has ended: what `on_end` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// Its own request ended it: [`Session::end`](crate::Session::end) or [`SessionSlot::end`](crate::SessionSlot::end).
    Logout,
    /// A login of the same client started another one in its place.
    Replaced,
    /// It was ended from outside: by [`OwnerSessions`](crate::OwnerSessions), as in "log out everywhere", or by
    /// [`Sessions::end_where`](crate::Sessions::end_where), or on the page for operators.
    Revoked,
    /// A login of its owner took its place, since the owner had as many sessions as `max_per_owner` allows.
    Evicted,
    /// Nobody used it for as long as its idle timeout, or it reached its lifetime.
    Expired,
}

impl EndReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
        }
    }
}

/// What a function named by `on_end = path` takes first: the data, or the data with what is known beside it.
#[diagnostic::on_unimplemented(
    message = "`on_end` can't be called with `{Self}`",
    label = "expected a function that takes `{T}` or `StoredSession<{T}>` first",
    note = "write `async fn ended(data: {T}, reason: session_runtime::EndReason)`, or take \
            `session: session_runtime::StoredSession<{T}>` for its public id and times as well; it is owned, not borrowed"
)]
pub trait EndedSession<T>: Sized {
    /// The session.
    #[doc(hidden)]
    fn of(session: StoredSession<T>) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: SessionData> EndedSession<T> for T {
    fn of(session: StoredSession<T>) -> Self {
        session.into_data()
    }
}

#[diagnostic::do_not_recommend]
impl<T: SessionData> EndedSession<T> for StoredSession<T> {
    fn of(session: Self) -> Self {
        session
    }
}

/// What a function named by `on_end = path` may answer: nothing, or a `Result` whose error is told by an event.
#[diagnostic::on_unimplemented(
    message = "`on_end` can't return `{Self}`",
    label = "expected `()` or `Result<(), impl Display>`",
    note = "nobody waits for an answer; an `Err` becomes the event `session.end_hook_failed`"
)]
pub trait EndAnswer {
    /// What went wrong.
    #[doc(hidden)]
    fn failure(self) -> Option<String>;
}

impl EndAnswer for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: Display> EndAnswer for Result<(), E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// What a function named by `on_end = path` returns: it is async.
#[diagnostic::on_unimplemented(
    message = "`on_end` calls an async function, and this one returns `{Self}`",
    label = "expected an `async fn`",
    note = "write `async fn ended(data: User, reason: session_runtime::EndReason)`"
)]
pub trait AsyncEnd: Sized {
    /// What it answers.
    type Answer;
    /// Itself, known to be a future.
    type Future: Future<Output = Self::Answer>;

    /// Itself.
    fn future(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<A: Future> AsyncEnd for A {
    type Answer = A::Output;
    type Future = A;

    fn future(self) -> A {
        self
    }
}

/// How a function is called that takes the session as an `A`.
pub struct CalledWith<A>(PhantomData<fn(A)>);

/// What `on_end = path` names. The second implementation is for nothing: see [`guard`](crate::guard).
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be told of ended sessions of `{T}`",
    label = "expected an `async fn` of `{T}` and `EndReason`",
    note = "write `async fn ended(data: {T}, reason: session_runtime::EndReason)`, or take \
            `session: session_runtime::StoredSession<{T}>` for its public id and times as well",
    note = "one that takes the application's state is given to `Sessions::<{T}>::builder().on_end_with(state, ended)`"
)]
pub trait EndFunction<T, M> {
    /// What it takes first.
    type Session;
    /// What it returns.
    type Returned;

    /// Calls it.
    fn call(&self, session: Self::Session, reason: EndReason) -> Self::Returned;
}

#[diagnostic::do_not_recommend]
impl<T, A, F: Fn(A, EndReason) -> R, R> EndFunction<T, CalledWith<A>> for F {
    type Session = A;
    type Returned = R;

    fn call(&self, session: A, reason: EndReason) -> R {
        self(session, reason)
    }
}

#[diagnostic::do_not_recommend]
impl<T, F: Nothing> EndFunction<T, NotCalled> for F {
    type Session = ();
    type Returned = ();

    fn call(&self, (): (), _: EndReason) {}
}

/// An async function of a session that has ended, the reason and the application's state: see
/// [`Builder::on_end_with`](crate::Builder::on_end_with).
///
/// Every `async fn(T, EndReason, &S)` is one that returns nothing or `Result<(), impl Display>`, and every
/// `async fn(StoredSession<T>, EndReason, &S)`. `M` is how it is called, which the compiler infers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be told of ended sessions of `{T}`",
    label = "expected an `async fn` of `{T}`, `EndReason` and `&{S}`",
    note = "write `async fn ended(data: {T}, reason: session_runtime::EndReason, state: &{S})`, or take \
            `session: session_runtime::StoredSession<{T}>` for its public id and times as well"
)]
pub trait StatefulEndHook<'a, T, S, M>: Send + Sync + 'static {
    /// Calls it.
    #[doc(hidden)]
    fn call_hook(&self, session: StoredSession<T>, reason: EndReason, state: &'a S) -> BoxFuture<'a, Option<String>>;
}

#[diagnostic::do_not_recommend]
impl<'a, T, S: 'a, A, F, R> StatefulEndHook<'a, T, S, CalledWith<A>> for F
where
    A: EndedSession<T>,
    F: Fn(A, EndReason, &'a S) -> R + Send + Sync + 'static,
    R: Future<Output: EndAnswer> + Send + 'a,
{
    fn call_hook(&self, session: StoredSession<T>, reason: EndReason, state: &'a S) -> BoxFuture<'a, Option<String>> {
        let ended = self(A::of(session), reason, state);
        Box::pin(async { ended.await.failure() })
    }
}

#[diagnostic::do_not_recommend]
impl<'a, T, S: 'a, F: Nothing + Send + Sync + 'static> StatefulEndHook<'a, T, S, NotCalled> for F {
    fn call_hook(&self, _: StoredSession<T>, _: EndReason, _: &'a S) -> BoxFuture<'a, Option<String>> {
        Box::pin(std::future::ready(None))
    }
}

type Call = dyn Fn(Found, EndReason) -> BoxFuture<'static, Option<String>> + Send + Sync;

/// The function of some type.
#[derive(Clone)]
pub struct EndHook(Arc<Call>);

/// The function that `on_end = path` names.
pub fn on_end<T, F, M>(function: F) -> EndHook
where
    T: SessionData,
    F: EndFunction<T, M, Session: EndedSession<T>, Returned: AsyncEnd<Answer: EndAnswer, Future: Send>>
        + Send
        + Sync
        + 'static,
    M: 'static,
{
    let function = Arc::new(function);
    EndHook(Arc::new(move |found, reason| {
        let function = Arc::clone(&function);
        // Within the future, so that a panic of a function that is not declared `async` is caught as well.
        Box::pin(async move {
            let ended = function.call(F::Session::of(StoredSession::of(found)), reason).future();
            ended.await.failure()
        })
    }))
}

impl EndHook {
    /// A function that takes this state as well.
    pub(super) fn with_state<T: SessionData, S: Send + Sync + 'static, M: 'static>(
        state: S,
        hook: impl for<'a> StatefulEndHook<'a, T, S, M>,
    ) -> Self {
        let shared = Arc::new((hook, state));
        Self(Arc::new(move |found, reason| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (hook, state) = &*shared;
                hook.call_hook(StoredSession::of(found), reason, state).await
            })
        }))
    }
}

/// The function of a type, and the calls of it.
pub(super) struct EndHooks {
    hook: EndHook,
    room: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl EndHooks {
    pub(super) fn new(hook: EndHook) -> Self {
        Self { hook, room: Arc::new(Semaphore::new(WAITING + AT_ONCE)), running: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Tells of a session that has ended. Nobody waits for it, so more than there is room for are told of by an event
    /// alone.
    pub(super) fn tell(&self, session_type: &'static str, found: Found, reason: EndReason) {
        let failed = |why| telemetry::end_hook_failed(session_type, &found.key, reason.as_str(), why);
        // Where memory is all that is asked for, a caller needs no runtime.
        if tokio::runtime::Handle::try_current().is_err() {
            return failed("it needs a tokio runtime, and the session was ended outside one");
        }
        match Arc::clone(&self.room).try_acquire_owned() {
            Ok(place) => drop(self.spawn(session_type, found, reason, place)),
            Err(_) => failed("too many ended sessions wait for it"),
        }
    }

    /// The same for who waits for it to be done.
    pub(super) async fn tell_in_turn(&self, session_type: &'static str, found: Found, reason: EndReason) {
        // The semaphore is never closed.
        if let Ok(place) = Arc::clone(&self.room).acquire_owned().await {
            // What goes wrong in there is told in there.
            let _ = self.spawn(session_type, found, reason, place).await;
        }
    }

    fn spawn(
        &self,
        session_type: &'static str,
        found: Found,
        reason: EndReason,
        place: OwnedSemaphorePermit,
    ) -> JoinHandle<()> {
        let (hook, running, key) = (self.hook.clone(), Arc::clone(&self.running), found.key);
        tokio::spawn(async move {
            let _place = place;
            let _running = running.acquire_owned().await;
            // A function that panicked is called again with other data; what it left behind is its own.
            let call = AssertUnwindSafe(async { hook.0(found, reason).await }).catch_unwind();
            let why = match tokio::time::timeout(LIMIT, call).await {
                Ok(Ok(None)) => return,
                Ok(Ok(Some(why))) => why,
                Ok(Err(_)) => "it panicked".into(),
                Err(_) => format!("it was not done after {} s", LIMIT.as_secs()),
            };
            telemetry::end_hook_failed(session_type, &key, reason.as_str(), &why);
        })
    }
}
