//! The few functions that a generated handler calls around the user's own.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::request::Parts;

use super::handler_session::{ErasedHandlerSession, HandlerSession};
use super::problem;
use super::returned::HandlerAnswer;
use super::session_policy::GuardFuture;
#[cfg(feature = "device-bound")]
use super::session_policy::Noted;
use crate::error::Error;
use crate::guard::{AsyncGuard, AsyncGuardFunction, GuardFunction, StatefulGuardFunction, Verdict};
use crate::lease::LeaseKeeper;
use crate::session::TokenChange;
#[cfg(feature = "device-bound")]
use crate::sessions::Device;
use crate::sessions::{ErasedData, SessionData, typed};

/// The sessions of one handler, in the order of its signature.
pub enum SessionList {
    /// The only one of most, without a list.
    One(Box<HandlerSession>),
    /// Several.
    #[expect(clippy::vec_box, reason = "as the only one: they are lent as a slice of boxes")]
    Several(Vec<Box<HandlerSession>>),
}

impl From<ErasedHandlerSession> for SessionList {
    fn from(session: ErasedHandlerSession) -> Self {
        Self::One(session.into())
    }
}

impl<const N: usize> From<[ErasedHandlerSession; N]> for SessionList {
    fn from(sessions: [ErasedHandlerSession; N]) -> Self {
        Self::Several(sessions.into_iter().map(Box::from).collect())
    }
}

impl SessionList {
    fn sessions(&self) -> &[Box<HandlerSession>] {
        match self {
            Self::One(session) => std::slice::from_ref(session),
            Self::Several(sessions) => sessions,
        }
    }

    fn sessions_mut(&mut self) -> &mut [Box<HandlerSession>] {
        match self {
            Self::One(session) => std::slice::from_mut(session),
            Self::Several(sessions) => sessions,
        }
    }

    /// Whether there is something to wait for before the handler: most only read, and have nothing.
    fn has_to_enter(&self) -> bool {
        match self {
            Self::One(session) => session.has_to_enter(),
            Self::Several(_) => true,
        }
    }

    /// Enters each, in the order of their locks. While one is waited for, the leases on those before it are kept.
    async fn enter(&mut self) -> Result<(), Response> {
        let entered = match self {
            Self::One(session) => match session.enter().await {
                Ok(()) => KeptLeases::of(std::slice::from_ref(session)).hold(session.apply_pending()).await,
                refused => refused,
            },
            Self::Several(sessions) => Self::enter_several(sessions).await,
        };
        match entered {
            Ok(()) => Ok(()),
            // What was settled before another one refused may be a new token, which is in force.
            Err(refusal) => Err(self.announce(refusal).await),
        }
    }

    async fn enter_several(sessions: &mut [Box<HandlerSession>]) -> Result<(), Response> {
        let mut leases = KeptLeases::default();
        let mut order: Vec<_> = sessions.iter_mut().collect();
        order.sort_by(|one, other| one.order().cmp(other.order()));
        for session in order {
            leases.hold(session.enter()).await?;
            leases.add(session.keeper());
        }
        for session in sessions {
            leases.hold(session.apply_pending()).await?;
        }
        Ok(())
    }

    /// Stores or forgets what the handler changed, and tells the client. While one is stored, the leases on those behind
    /// it are kept.
    async fn leave(&mut self, answer: HandlerAnswer) -> Response {
        let HandlerAnswer { mut response, failed } = answer;
        let failed = failed || response.status().is_server_error();
        let mut failure = None;
        let mut rest = self.sessions_mut();
        while let Some((session, behind)) = rest.split_first_mut() {
            let superseded = session.is_superseded(response.headers());
            if failure.is_some() || superseded || (failed && !session.saves_always()) {
                if session.is_exclusive() {
                    let discarded = KeptLeases::of(behind).hold(session.discard()).await;
                    failure = failure.or(discarded.err());
                }
            } else if session.is_exclusive()
                && let Err(error) = KeptLeases::of(behind).hold(session.commit()).await
            {
                // A logout or another login behind a middleware: what it changed has gone with the session.
                let moot = session.passes_on() && matches!(error, Error::Ended);
                failure = (!moot).then_some(error);
            }
            rest = behind;
        }
        if let Some(error) = failure {
            let former = std::mem::replace(&mut response, Error::into_response(error));
            // A handler behind a middleware may have put another token in force, without which the client is logged out.
            for session in self.sessions().iter().filter(|session| session.passes_on()) {
                session.pass_tokens(former.headers(), response.headers_mut());
            }
        }
        self.announce(response).await
    }

    async fn announce(&mut self, mut response: Response) -> Response {
        for at in 0..self.sessions().len() {
            let session = &mut self.sessions_mut()[at];
            let change = session.announcement();
            if matches!(change, TokenChange::Unchanged) {
                session.vary(response.headers_mut());
                continue;
            }
            // Boxed, as few clients are told anything.
            if let Err(error) = Box::pin(session.announce(change, response.headers_mut())).await {
                response = Error::into_response(error);
                for session in self.sessions() {
                    session.vary(response.headers_mut());
                }
            }
        }
        if let Some(session) = self.sessions().first() {
            session.format(&mut response);
        }
        response
    }
}

/// A handler that has been called, and answers.
pub type ResponseFuture<'a> = BoxFuture<'a, HandlerAnswer>;

/// What a generated handler returns. The compiler names it where a router can't take the handler.
pub struct HandlerFuture<'h>(BoxFuture<'h, Response>);

impl Future for HandlerFuture<'_> {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        self.0.as_mut().poll(cx)
    }
}

/// The sessions of a handler once they have been entered; `'h` is how long the rest of what it is called with lives.
pub struct HandlerSessions<'h> {
    sessions: SessionList,
    handler: PhantomData<&'h ()>,
}

impl HandlerSessions<'_> {
    /// Each of them.
    ///
    /// # Panics
    /// There are more or fewer.
    pub fn each<const N: usize>(&mut self) -> &mut [Box<HandlerSession>; N] {
        self.sessions.sessions_mut().try_into().expect("a handler takes as many sessions as its parameters say")
    }
}

/// How a handler is called, with its sessions and its other arguments.
type Call<'h, A> = for<'a> fn(&'a mut HandlerSessions<'h>, A) -> ResponseFuture<'a>;

/// The same without the arguments.
trait ErasedHandler<'h>: Send {
    fn call<'a>(self: Box<Self>, entered: &'a mut HandlerSessions<'h>) -> ResponseFuture<'a>;
}

impl<'h, A: Send> ErasedHandler<'h> for (Call<'h, A>, A) {
    fn call<'a>(self: Box<Self>, entered: &'a mut HandlerSessions<'h>) -> ResponseFuture<'a> {
        let (call, arguments) = *self;
        call(entered, arguments)
    }
}

/// Enters the sessions of a handler, calls it with its other arguments, and leaves them with its answer. Of all handlers
/// with the same arguments there is one of this.
pub fn serve<'h, A: Send + 'h>(sessions: impl Into<SessionList>, arguments: A, call: Call<'h, A>) -> HandlerFuture<'h> {
    serve_erased(sessions.into(), Box::new((call, arguments)))
}

/// Not generic, so that it is compiled with this crate.
fn serve_erased<'h>(sessions: SessionList, handler: Box<dyn ErasedHandler<'h> + 'h>) -> HandlerFuture<'h> {
    HandlerFuture(Box::pin(async move {
        let mut entered = HandlerSessions { sessions, handler: PhantomData };
        // Boxed, so that the many that read have small futures.
        if entered.sessions.has_to_enter()
            && let Err(refusal) = Box::pin(entered.sessions.enter()).await
        {
            return refusal;
        }
        let leases = KeptLeases::of(entered.sessions.sessions());
        let answer = leases.hold(handler.call(&mut entered)).await;
        entered.sessions.leave(answer).await
    }))
}

/// A handler that answers, what makes a response of it, and what tells whether it is an error.
struct IntoResponseFuture<'a, R> {
    handler: BoxFuture<'a, R>,
    into_response: fn(R) -> Response,
    failed: Option<fn(&R) -> bool>,
}

impl<R> Future for IntoResponseFuture<'_, R> {
    type Output = HandlerAnswer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<HandlerAnswer> {
        match self.handler.as_mut().poll(cx) {
            Poll::Ready(answer) => {
                let failed = self.failed.is_some_and(|failed| failed(&answer));
                Poll::Ready(HandlerAnswer { response: (self.into_response)(answer), failed })
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The handler's answer as a response. Its future comes boxed, so that of all handlers that return the same there is one
/// of this.
pub fn answer<'a, R: 'a>(
    handler: Box<dyn Future<Output = R> + Send + 'a>,
    into_response: fn(R) -> Response,
) -> ResponseFuture<'a> {
    Box::pin(IntoResponseFuture { handler: handler.into(), into_response, failed: None })
}

/// The same for a handler that may change its session: what it changed is discarded if it `failed`.
pub fn answer_unless_failed<'a, R: 'a>(
    handler: Box<dyn Future<Output = R> + Send + 'a>,
    into_response: fn(R) -> Response,
    failed: fn(&R) -> bool,
) -> ResponseFuture<'a> {
    Box::pin(IntoResponseFuture { handler: handler.into(), into_response, failed: Some(failed) })
}

/// The leases of one handler, to be kept while something is waited for.
#[derive(Default)]
pub(super) struct KeptLeases {
    first: Option<LeaseKeeper>,
    /// Empty, and so without an allocation, unless several sessions are lent exclusively.
    others: Vec<LeaseKeeper>,
}

impl From<LeaseKeeper> for KeptLeases {
    fn from(keeper: LeaseKeeper) -> Self {
        Self { first: Some(keeper), others: Vec::new() }
    }
}

impl KeptLeases {
    fn of(sessions: &[Box<HandlerSession>]) -> Self {
        let mut leases = Self::default();
        for session in sessions {
            leases.add(session.keeper());
        }
        leases
    }

    fn add(&mut self, keeper: Option<LeaseKeeper>) {
        match keeper {
            Some(keeper) if self.first.is_some() => self.others.push(keeper),
            Some(keeper) => self.first = Some(keeper),
            None => {}
        }
    }

    fn all(&self) -> impl Iterator<Item = &LeaseKeeper> {
        self.first.iter().chain(&self.others)
    }

    /// Runs a future, such as the handler, and extends the leases while it waits.
    pub(super) async fn hold<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        // One that never waits needs no timer, and no room for one.
        let first = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        match (first, self.all().map(LeaseKeeper::every).min()) {
            (Poll::Ready(answer), _) => answer,
            (Poll::Pending, None) => future.await,
            (Poll::Pending, Some(every)) => Box::pin(self.extend(every, future)).await,
        }
    }

    async fn extend<F: Future>(&self, every: Duration, mut handler: Pin<&mut F>) -> F::Output {
        loop {
            let tick = async {
                tokio::time::sleep(every).await;
                for keeper in self.all() {
                    keeper.extend().await;
                }
            };
            tokio::select! {
                biased;
                answer = &mut handler => return answer,
                () = tick => {}
            }
        }
    }
}

/// Asks a guard.
///
/// # Errors
/// The response that the guard gave, or 403.
pub fn verdict<T: SessionData, R: Verdict>(data: &dyn ErasedData, guard: impl FnOnce(&T) -> R) -> Result<(), Response> {
    answer_of_guard(guard(typed(data)).verdict())
}

/// Asks a guard that looks at the device as well.
///
/// # Errors
/// As [`verdict`].
#[cfg(feature = "device-bound")]
pub fn verdict_with_device<T: SessionData, R: Verdict>(
    data: &dyn ErasedData,
    noted: Noted<'_>,
    guard: impl FnOnce(&T, Device) -> R,
) -> Result<(), Response> {
    answer_of_guard(guard(typed(data), noted.device()).verdict())
}

/// Asks a guard that is a function.
///
/// # Errors
/// As [`verdict`].
pub fn verdict_of<T, F, M>(data: &dyn ErasedData, guard: F) -> Result<(), Response>
where
    T: SessionData,
    F: GuardFunction<T, M>,
    F::Returned: Verdict,
{
    answer_of_guard(guard.call(typed(data)).verdict())
}

/// Asks an async guard.
pub fn ask_guard<'a, T, F, M>(data: &'a dyn ErasedData, parts: &'a Parts, guard: F) -> GuardFuture<'a>
where
    T: SessionData,
    F: AsyncGuardFunction<'a, T, M>,
    F::Returned: AsyncGuard<Answer: Verdict, Future: Send + 'a>,
{
    answer_to_come(guard.call(typed(data), parts))
}

/// Asks an async guard that takes what `state = ..` names.
pub fn ask_guard_with<'a, T, S, F, M>(
    data: &'a dyn ErasedData,
    parts: &'a Parts,
    state: &'a S,
    guard: F,
) -> GuardFuture<'a>
where
    T: SessionData,
    S: 'a,
    F: StatefulGuardFunction<'a, T, S, M>,
    F::Returned: AsyncGuard<Answer: Verdict, Future: Send + 'a>,
{
    answer_to_come(guard.call(typed(data), parts, state))
}

fn answer_to_come<'a, A: AsyncGuard<Answer: Verdict, Future: Send + 'a>>(asked: A) -> GuardFuture<'a> {
    let asked = asked.future();
    Box::pin(async { answer_of_guard(asked.await.verdict()) })
}

pub(super) fn answer_of_guard(verdict: Result<(), Option<Response>>) -> Result<(), Response> {
    verdict.map_err(|response| response.unwrap_or_else(problem::forbidden))
}

/// The answer of a handler that does not compile; it is never served.
pub fn unreachable() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
