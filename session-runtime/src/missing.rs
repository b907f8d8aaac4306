//! What a request without a session gets where one is needed.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::handler::Handler;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::future::BoxFuture;
use http::{Request, StatusCode};

/// `missing = ...`: a status, a redirect, or a handler's answer.
#[derive(Clone)]
pub struct Missing(MissingResponse);

#[derive(Clone)]
enum MissingResponse {
    Status(StatusCode),
    Redirect(&'static str),
    Handler(Arc<dyn Fn(Request<Body>) -> BoxFuture<'static, Response> + Send + Sync>),
}

/// What is known of an answer before a request.
#[cfg(feature = "utoipa")]
#[derive(Clone, Copy)]
pub(crate) enum KnownAnswer {
    Status(StatusCode),
    /// 303 to this address.
    Redirect(&'static str),
    /// A handler's: nothing is known.
    Handler,
}

impl Missing {
    /// `missing = status(401)`: this status, with a problem+json body. A number that is no status is
    /// taken for 401; the macros refuse it at compile time.
    #[doc = include_str!("docs/examples/missing_status.md")]
    pub fn status(code: u16) -> Self {
        Self(MissingResponse::Status(StatusCode::from_u16(code).unwrap_or(StatusCode::UNAUTHORIZED)))
    }

    /// `missing = redirect("/login")`: 303 to this address.
    #[doc = include_str!("docs/examples/missing_redirect.md")]
    pub fn redirect(to: &'static str) -> Self {
        Self(MissingResponse::Redirect(to))
    }

    /// `missing = path::to::handler`: what this axum handler answers. It gets the request's parts, with
    /// an empty body, and no state.
    #[doc = include_str!("docs/examples/missing_handler.md")]
    pub fn handler<H: MissingHandler<X>, X: 'static>(handler: H) -> Self {
        Self(MissingResponse::Handler(Arc::new(move |request| Box::pin(handler.clone().call(request, ())))))
    }

    /// The answer as far as it is known before a request.
    #[cfg(feature = "utoipa")]
    pub(crate) fn known(&self) -> KnownAnswer {
        match self.0 {
            MissingResponse::Status(status) => KnownAnswer::Status(status),
            MissingResponse::Redirect(to) => KnownAnswer::Redirect(to),
            MissingResponse::Handler(_) => KnownAnswer::Handler,
        }
    }

    /// The same for a handler that takes the application's state, of which this is one: see
    /// [`Builder::missing`](crate::Builder::missing) and [`ProtectLayer::missing`](crate::ProtectLayer::missing).
    #[doc = include_str!("docs/examples/missing_handler_with_state.md")]
    pub fn handler_with_state<H, X, S>(handler: H, state: S) -> Self
    where
        H: MissingHandlerOf<S, X>,
        X: 'static,
        S: Clone + Send + Sync + 'static,
    {
        Self(MissingResponse::Handler(Arc::new(move |request| Box::pin(handler.clone().call(request, state.clone())))))
    }

    /// Whether answering takes the request's parts.
    pub(crate) fn wants_request(&self) -> bool {
        matches!(self.0, MissingResponse::Handler(_))
    }

    /// The answer; `Err` gives the status to answer with a problem body. A handler answers only where
    /// the request was kept for it.
    pub(crate) async fn answer(&self, request: Option<Request<Body>>) -> Result<Response, StatusCode> {
        match (&self.0, request) {
            (MissingResponse::Status(status), _) => Err(*status),
            (MissingResponse::Redirect(to), _) => Ok(Redirect::to(to).into_response()),
            (MissingResponse::Handler(handler), Some(request)) => Ok(handler(request).await),
            (MissingResponse::Handler(_), None) => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

/// What `missing = path` names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't answer a request without a session",
    label = "expected an axum handler without state",
    note = "write an `async fn` of extractors that need no state, which returns what implements `IntoResponse`"
)]
pub trait MissingHandler<X>: Handler<X, ()> + Sync {}

#[diagnostic::do_not_recommend]
impl<H: Handler<X, ()> + Sync, X> MissingHandler<X> for H {}

/// What `missing = path` names beside `state = ..`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't answer a request without a session",
    label = "expected an axum handler of the state `{S}`",
    note = "write an `async fn` of extractors, such as `State<{S}>`, which returns what implements `IntoResponse`"
)]
pub trait MissingHandlerOf<S, X>: Handler<X, S> + Sync {}

#[diagnostic::do_not_recommend]
impl<H: Handler<X, S> + Sync, S, X> MissingHandlerOf<S, X> for H {}

impl fmt::Debug for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            MissingResponse::Status(status) => write!(f, "Missing({status})"),
            MissingResponse::Redirect(to) => write!(f, "Missing(redirect to {to})"),
            MissingResponse::Handler(_) => f.write_str("Missing(handler)"),
        }
    }
}
