//! The few functions that a generated handler calls around the user's own.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use ::axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};

use super::extract::Extractor;
use super::member::Member;
use super::problem;
use crate::error::Error;
use crate::guard::Verdict;
use crate::lease::Renewal;

/// The sessions of one handler, as a tuple of its extractors.
pub trait Party: Send {
    /// Enters each, in the order of their locks.
    fn enter(&mut self) -> impl Future<Output = Result<(), Response>> + Send;

    /// What keeps their leases alive.
    fn leases(&self) -> Leases;

    /// Stores or forgets what the handler changed, and tells the client.
    fn leave(self, response: Response) -> impl Future<Output = Response> + Send;
}

/// The same without the handler, so that its work is compiled once for all handlers of the same session types.
trait Members: Send {
    fn enter(self) -> impl Future<Output = Result<(), Response>> + Send;
    fn leave(self, response: Response) -> impl Future<Output = Response> + Send;
    fn vary(&self, headers: &mut HeaderMap);
    fn announce(&mut self, response: Response) -> Response;
}

/// Enters every session of a handler: locks and loads what is borrowed exclusively.
///
/// # Errors
/// The response to give instead of the handler's.
pub fn enter<P: Party>(party: &mut P) -> impl Future<Output = Result<(), Response>> + Send {
    party.enter()
}

/// What keeps a handler's leases alive.
pub fn leases<P: Party>(party: &P) -> Leases {
    party.leases()
}

/// Stores or forgets what the handler changed, and tells the client.
pub fn leave<P: Party>(party: P, response: Response) -> impl Future<Output = Response> + Send {
    party.leave(response)
}

/// A handler that has been called.
type Running<'a, A> = Pin<&'a mut (dyn Future<Output = A> + Send + 'a)>;

/// The leases of one handler, to be kept while it runs.
#[derive(Default)]
pub struct Leases {
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

    /// Runs the handler, and extends its leases while it waits. Of all handlers with one answer there is one of this.
    pub async fn hold<A>(self, mut handler: Running<'_, A>) -> A {
        // A handler that never waits needs no timer, and its future no room for one.
        let first = poll_fn(|cx| Poll::Ready(handler.as_mut().poll(cx))).await;
        match (first, self.all().map(Renewal::every).min()) {
            (Poll::Ready(answer), _) => answer,
            (Poll::Pending, None) => handler.await,
            (Poll::Pending, Some(every)) => Box::pin(self.extend(every, handler)).await,
        }
    }

    async fn extend<A>(self, every: Duration, mut handler: Running<'_, A>) -> A {
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
pub fn verdict<T, R: Verdict>(data: &T, guard: impl FnOnce(&T) -> R) -> Result<(), Response> {
    guard(data).verdict().map_err(|response| response.unwrap_or_else(problem::forbidden))
}

/// The answer of a handler that does not compile; it is never served.
pub fn unreachable() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

macro_rules! parties {
    ($(($($member:ident $at:tt),+))+) => {$(
        impl<$($member: Extractor),+> Party for ($($member,)+) {
            fn enter(&mut self) -> impl Future<Output = Result<(), Response>> + Send {
                Members::enter(($(self.$at.member_mut(),)+))
            }

            fn leases(&self) -> Leases {
                let mut leases = Leases::default();
                $(leases.add(self.$at.member().renewal());)+
                leases
            }

            fn leave(self, response: Response) -> impl Future<Output = Response> + Send {
                Members::leave(($(self.$at.into_member(),)+), response)
            }
        }

        impl<$($member: Member),+> Members for ($($member,)+) {
            async fn enter(mut self) -> Result<(), Response> {
                let entered = async {
                    let mut order = [$((self.$at.order(), $at)),+];
                    order.sort_unstable();
                    for at in order.map(|(_, at)| at) {
                        match at {
                            $($at => self.$at.enter().await?,)+
                            _ => {}
                        }
                    }
                    $(self.$at.settle().await?;)+
                    Ok(())
                };
                // What was settled before another one refused may be a new token, which is in force.
                entered.await.map_err(|refusal| self.announce(refusal))
            }

            async fn leave(mut self, mut response: Response) -> Response {
                let mut failure = None;
                $(
                    if failure.is_some() || response.status().is_server_error() {
                        self.$at.discard();
                    } else if let Err(error) = self.$at.commit().await {
                        failure = Some(error);
                    }
                )+
                if let Some(error) = failure {
                    response = Error::into_response(error);
                }
                self.announce(response)
            }

            fn vary(&self, headers: &mut HeaderMap) {
                $(self.$at.vary(headers);)+
            }

            fn announce(&mut self, mut response: Response) -> Response {
                $(
                    if let Err(error) = self.$at.announce(response.headers_mut()) {
                        response = Error::into_response(error);
                        self.vary(response.headers_mut());
                    }
                )+
                response
            }
        }
    )+};
}

parties! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
}
