//! The few functions that a generated handler calls around the user's own.

use std::future::Future;
use std::pin::pin;

use ::axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use super::cookies;
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

/// See [`Party::enter`].
///
/// # Errors
/// The response to give instead of the handler's.
pub async fn enter<P: Party>(party: &mut P) -> Result<(), Response> {
    party.enter().await.map_err(|mut refusal| {
        cookies::vary(refusal.headers_mut());
        refusal
    })
}

/// See [`Party::leases`].
pub fn leases<P: Party>(party: &P) -> Leases {
    party.leases()
}

/// See [`Party::leave`].
pub async fn leave<P: Party>(party: P, response: Response) -> Response {
    party.leave(response).await
}

/// The leases of one handler, to be kept while it runs.
pub struct Leases([Option<Renewal>; MEMBERS]);

/// The most session types that one handler can take.
const MEMBERS: usize = 4;

impl Leases {
    /// Runs the handler, and extends its leases while it waits.
    pub async fn hold<F: Future>(self, handler: F) -> F::Output {
        let mut handler = pin!(handler);
        let Some(every) = self.0.iter().flatten().map(Renewal::every).min() else { return handler.await };
        loop {
            let tick = async {
                tokio::time::sleep(every).await;
                for renewal in self.0.iter().flatten() {
                    renewal.extend().await;
                }
            };
            // The handler comes first, so that one that never waits starts no timer.
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
pub fn verdict<T, R: Verdict>(guard: impl FnOnce(&T) -> R, data: &T) -> Result<(), Response> {
    guard(data).verdict().map_err(|response| response.unwrap_or_else(problem::forbidden))
}

/// The answer of a handler that does not compile; it is never served.
pub fn unreachable() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

macro_rules! parties {
    ($(($($member:ident $at:tt),+))+) => {$(
        impl<$($member: Member),+> Party for ($($member,)+) {
            async fn enter(&mut self) -> Result<(), Response> {
                let mut order = [$((self.$at.order().to_owned(), $at)),+];
                order.sort_unstable();
                for (_, at) in order {
                    match at {
                        $($at => self.$at.enter().await?,)+
                        _ => {}
                    }
                }
                Ok(())
            }

            fn leases(&self) -> Leases {
                let mut leases = Leases(Default::default());
                $(leases.0[$at] = self.$at.renewal();)+
                leases
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
                $(
                    if let Err(error) = self.$at.announce(response.headers_mut()) {
                        response = Error::into_response(error);
                        cookies::vary(response.headers_mut());
                    }
                )+
                response
            }
        }
    )+};
}

impl<A: Member> Party for (A,) {
    async fn enter(&mut self) -> Result<(), Response> {
        self.0.enter().await
    }

    fn leases(&self) -> Leases {
        let mut leases = Leases(Default::default());
        leases.0[0] = self.0.renewal();
        leases
    }

    async fn leave(mut self, mut response: Response) -> Response {
        if response.status().is_server_error() {
            self.0.discard();
        } else if let Err(error) = self.0.commit().await {
            response = error.into_response();
        }
        if let Err(error) = self.0.announce(response.headers_mut()) {
            response = error.into_response();
            cookies::vary(response.headers_mut());
        }
        response
    }
}

parties! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
}
