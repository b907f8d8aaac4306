//! A tower layer that guards a whole sub-router.

use std::fmt;
use std::task::{Context, Poll};

use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::authorize::{load, turn_away};
use super::handler_session::{announce, reissued};
use super::passive::only_looks;
use super::problem::Rejection;
use super::problem_format::ProblemFormat;
use super::request_memory;
use super::transport;
use super::vary::vary;
use crate::session::TokenChange;
use crate::sessions::{SessionData, Sessions};

impl<T: SessionData> Sessions<T> {
    /// A layer that lets only requests with a live session through. The others get what the type's `missing` says.
    ///
    /// Cross-site requests are refused as in handlers: see [`session`](macro@crate::session).
    ///
    /// Put it on a sub-router with [`Router::route_layer`](::axum::Router::route_layer). What is behind it
    /// can still borrow the session.
    #[doc = include_str!("../docs/examples/sessions_protect.md")]
    pub fn protect(&self) -> ProtectLayer<T> {
        ProtectLayer(self.clone())
    }
}

/// See [`Sessions::protect`].
pub struct ProtectLayer<T: SessionData>(Sessions<T>);

impl<T: SessionData> Clone for ProtectLayer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: SessionData> fmt::Debug for ProtectLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProtectLayer").field(&self.0).finish()
    }
}

impl<T: SessionData, I> Layer<I> for ProtectLayer<T> {
    type Service = Protect<T, I>;

    fn layer(&self, inner: I) -> Protect<T, I> {
        Protect { sessions: self.0.clone(), inner }
    }
}

/// See [`Sessions::protect`].
pub struct Protect<T: SessionData, I> {
    sessions: Sessions<T>,
    inner: I,
}

impl<T: SessionData, I: Clone> Clone for Protect<T, I> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), inner: self.inner.clone() }
    }
}

impl<T: SessionData, I: fmt::Debug> fmt::Debug for Protect<T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protect").field("sessions", &self.sessions).field("inner", &self.inner).finish()
    }
}

impl<T, I, B> Service<Request<B>> for Protect<T, I>
where
    T: SessionData,
    I: Service<Request<B>> + Clone + Send + 'static,
    I::Response: IntoResponse,
    I::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = I::Error;
    type Future = BoxFuture<'static, Result<Response, I::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone waits for the next request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let core = self.sessions.core().clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            request_memory::begin(&mut parts);
            let (format, looks) = (ProblemFormat::of(&parts.headers), only_looks(&parts));
            match load(&core, &parts, true).await {
                Ok((Some(session), by)) => {
                    let mut response = inner.call(Request::from_parts(parts, body)).await?.into_response();
                    // What is behind the layer may have told the client already.
                    let told = transport::is_told(&core, &by, response.headers());
                    let settled = told || looks;
                    let change = if settled { TokenChange::Unchanged } else { reissued(&core, Some(&session)) };
                    if let Err(error) = announce(&core, &by, change, response.headers_mut()).await {
                        response = error.into_response();
                        vary(&core, response.headers_mut());
                    }
                    format.apply(&mut response);
                    Ok(response)
                }
                Ok((None, _)) => {
                    let answer = turn_away(&core, None, Some(&parts)).await;
                    Ok(Rejection::new(&core, &parts, answer).into_response())
                }
                Err(denied) => Ok(denied.into_rejection(&core, &parts).into_response()),
            }
        })
    }
}
