//! The few functions that a generated handler calls around the user's own.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use http::StatusCode;

use super::member::{Member, OpaqueMember};
use super::problem;
use crate::error::Error;
use crate::guard::Verdict;
use crate::lease::Renewal;
use crate::sessions::{AnyData, SessionData, typed};

/// The sessions of one handler, in the order of its signature.
pub enum Members {
    /// The only one of most, without a list.
    One(Box<Member>),
    /// Several.
    #[expect(clippy::vec_box, reason = "as the only one: they are lent as a slice of boxes")]
    Several(Vec<Box<Member>>),
}

impl From<OpaqueMember> for Members {
    fn from(member: OpaqueMember) -> Self {
        Self::One(member.into())
    }
}

impl<const N: usize> From<[OpaqueMember; N]> for Members {
    fn from(members: [OpaqueMember; N]) -> Self {
        Self::Several(members.into_iter().map(Box::from).collect())
    }
}

impl Members {
    fn members(&self) -> &[Box<Member>] {
        match self {
            Self::One(member) => std::slice::from_ref(member),
            Self::Several(members) => members,
        }
    }

    fn members_mut(&mut self) -> &mut [Box<Member>] {
        match self {
            Self::One(member) => std::slice::from_mut(member),
            Self::Several(members) => members,
        }
    }

    /// Enters each, in the order of their locks.
    async fn enter(&mut self) -> Result<(), Response> {
        let entered = async {
            let members = self.members_mut();
            let mut order: Vec<_> = members.iter_mut().collect();
            order.sort_by(|one, other| one.order().cmp(other.order()));
            for member in order {
                member.enter().await?;
            }
            for member in members {
                member.settle().await?;
            }
            Ok(())
        };
        // What was settled before another one refused may be a new token, which is in force.
        entered.await.map_err(|refusal| self.announce(refusal))
    }

    /// What keeps their leases alive.
    fn leases(&self) -> Leases {
        let mut leases = Leases::default();
        for member in self.members() {
            leases.add(member.renewal());
        }
        leases
    }

    /// Stores or forgets what the handler changed, and tells the client.
    async fn leave(&mut self, mut response: Response) -> Response {
        let mut failure = None;
        for member in self.members_mut() {
            if failure.is_some() || response.status().is_server_error() {
                member.discard();
            } else if let Err(error) = member.commit().await {
                failure = Some(error);
            }
        }
        if let Some(error) = failure {
            response = Error::into_response(error);
        }
        self.announce(response)
    }

    fn announce(&mut self, mut response: Response) -> Response {
        for at in 0..self.members().len() {
            if let Err(error) = self.members_mut()[at].announce(response.headers_mut()) {
                response = Error::into_response(error);
                for member in self.members() {
                    member.vary(response.headers_mut());
                }
            }
        }
        response
    }
}

/// A handler that has been called, and answers.
pub type Running<'a> = BoxFuture<'a, Response>;

/// What a generated handler returns. The compiler names it where a router can't take the handler.
pub struct Answering<'h>(Running<'h>);

impl Future for Answering<'_> {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        self.0.as_mut().poll(cx)
    }
}

/// The sessions of a handler once they have been entered; `'h` is how long the rest of what it is called with lives.
pub struct Entered<'h> {
    members: Members,
    handler: PhantomData<&'h ()>,
}

impl Entered<'_> {
    /// Each of them.
    ///
    /// # Panics
    /// There are more or fewer.
    pub fn each<const N: usize>(&mut self) -> &mut [Box<Member>; N] {
        self.members.members_mut().try_into().expect("a handler takes as many sessions as its parameters say")
    }
}

/// How a handler is called, with its sessions and its other arguments.
type Call<'h, A> = for<'a> fn(&'a mut Entered<'h>, A) -> Running<'a>;

/// The same without the arguments.
trait ErasedCall<'h>: Send {
    fn call<'a>(self: Box<Self>, entered: &'a mut Entered<'h>) -> Running<'a>;
}

impl<'h, A: Send> ErasedCall<'h> for (Call<'h, A>, A) {
    fn call<'a>(self: Box<Self>, entered: &'a mut Entered<'h>) -> Running<'a> {
        let (call, arguments) = *self;
        call(entered, arguments)
    }
}

/// Enters the sessions of a handler, calls it with its other arguments, and leaves them with its answer. Of all handlers
/// with the same arguments there is one of this.
pub fn serve<'h, A: Send + 'h>(members: impl Into<Members>, arguments: A, call: Call<'h, A>) -> Answering<'h> {
    serve_erased(members.into(), Box::new((call, arguments)))
}

/// Not generic, so that it is compiled with this crate.
fn serve_erased<'h>(members: Members, handler: Box<dyn ErasedCall<'h> + 'h>) -> Answering<'h> {
    Answering(Box::pin(async move {
        let mut entered = Entered { members, handler: PhantomData };
        if let Err(refusal) = entered.members.enter().await {
            return refusal;
        }
        let leases = entered.members.leases();
        let answer = leases.hold(handler.call(&mut entered)).await;
        entered.members.leave(answer).await
    }))
}

/// A handler that answers, and what makes a response of it.
struct Answer<'a, R> {
    handler: BoxFuture<'a, R>,
    into_response: fn(R) -> Response,
}

impl<R> Future for Answer<'_, R> {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match self.handler.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready((self.into_response)(answer)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The handler's answer as a response. Its future comes boxed, so that of all handlers that return the same there is one
/// of this.
pub fn answer<'a, R: 'a>(
    handler: Box<dyn Future<Output = R> + Send + 'a>,
    into_response: fn(R) -> Response,
) -> Running<'a> {
    Box::pin(Answer { handler: handler.into(), into_response })
}

/// The leases of one handler, to be kept while it runs.
#[derive(Default)]
struct Leases {
    first: Option<Renewal>,
    /// Empty, and so without an allocation, unless several sessions are lent exclusively.
    others: Vec<Renewal>,
}

impl Leases {
    fn add(&mut self, renewal: Option<Renewal>) {
        match renewal {
            Some(renewal) if self.first.is_some() => self.others.push(renewal),
            Some(renewal) => self.first = Some(renewal),
            None => {}
        }
    }

    fn all(&self) -> impl Iterator<Item = &Renewal> {
        self.first.iter().chain(&self.others)
    }

    /// Runs the handler, and extends its leases while it waits.
    async fn hold(self, mut handler: Running<'_>) -> Response {
        // A handler that never waits needs no timer, and its future no room for one.
        let first = poll_fn(|cx| Poll::Ready(handler.as_mut().poll(cx))).await;
        match (first, self.all().map(Renewal::every).min()) {
            (Poll::Ready(answer), _) => answer,
            (Poll::Pending, None) => handler.await,
            (Poll::Pending, Some(every)) => Box::pin(self.extend(every, handler)).await,
        }
    }

    async fn extend(self, every: Duration, mut handler: Running<'_>) -> Response {
        loop {
            let tick = async {
                tokio::time::sleep(every).await;
                for renewal in self.all() {
                    renewal.extend().await;
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
pub fn verdict<T: SessionData, R: Verdict>(data: &dyn AnyData, guard: impl FnOnce(&T) -> R) -> Result<(), Response> {
    answer_of_guard(guard(typed(data)).verdict())
}

fn answer_of_guard(verdict: Result<(), Option<Response>>) -> Result<(), Response> {
    verdict.map_err(|response| response.unwrap_or_else(problem::forbidden))
}

/// The answer of a handler that does not compile; it is never served.
pub fn unreachable() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
