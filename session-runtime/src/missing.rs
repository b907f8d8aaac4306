//! What a request without a session gets where one is needed.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::OriginalUri;
use axum::handler::Handler;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use http::{Method, Request, StatusCode};
use session_rules::missing as rules;

use crate::error::OpenError;
use crate::return_to::ReturnTo;

/// `missing = ...`: a status, a redirect, or a handler's answer.
#[derive(Clone)]
pub struct Missing(MissingResponse);

#[derive(Clone)]
enum MissingResponse {
    Status(StatusCode),
    Redirect(&'static str),
    /// To this address, with the path of the request in this parameter.
    RedirectWithNext(&'static str, &'static str),
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
    /// `missing = status(401)`: this status, with a problem+json body.
    ///
    /// # Errors
    /// A number that is no status, or that of a redirect.
    #[doc = include_str!("docs/examples/missing_status.md")]
    pub fn status(code: u16) -> Result<Self, OpenError> {
        let refused = |reason| OpenError::option(format!("missing = status({code})"), None, reason);
        rules::status(code).map_err(refused).map(|()| Self::checked_status(code))
    }

    /// `missing = redirect("/login")`: 303 to this address.
    ///
    /// # Errors
    /// What is no path and no full address, or has characters that must be percent-encoded.
    #[doc = include_str!("docs/examples/missing_redirect.md")]
    pub fn redirect(to: &'static str) -> Result<Self, OpenError> {
        let refused = |reason| OpenError::option(format!("missing = redirect({to:?})"), None, reason);
        rules::redirect(to).map_err(refused).map(|()| Self::checked_redirect(to))
    }

    /// A status that the rules have passed.
    #[doc(hidden)]
    pub fn checked_status(code: u16) -> Self {
        Self(MissingResponse::Status(StatusCode::from_u16(code).unwrap_or(StatusCode::UNAUTHORIZED)))
    }

    /// An address and a name that the rules have passed.
    #[doc(hidden)]
    pub fn checked_redirect_with_next(to: &'static str, next: &'static str) -> Self {
        Self(MissingResponse::RedirectWithNext(to, next))
    }

    /// An address that the rules have passed.
    #[doc(hidden)]
    pub fn checked_redirect(to: &'static str) -> Self {
        Self(MissingResponse::Redirect(to))
    }

    /// `missing = redirect("/login", next = "next")`: 303 to this path of the application, with the path and the query that
    /// the request was for in the parameter `next`. The login page reads it as a [`ReturnTo`](crate::ReturnTo).
    ///
    /// Only a `GET` or `HEAD` is remembered: what another method would do cannot be done by going there. Nor is what
    /// `ReturnTo` does not accept.
    ///
    /// # Errors
    /// An address that is no path of this application, a name that is none of a parameter, or one that the address has.
    #[doc = include_str!("docs/examples/missing_redirect_with_next.md")]
    pub fn redirect_with_next(to: &'static str, next: &'static str) -> Result<Self, OpenError> {
        let option = || format!("missing = redirect({to:?}, next = {next:?})");
        let refused = |reason| OpenError::option(option(), None, reason);
        rules::redirect(to)
            .and_then(|()| rules::redirect_of_this_site(to).map_err(str::to_owned))
            .and_then(|()| rules::next(to, next))
            .map_err(refused)
            .map(|()| Self::checked_redirect_with_next(to, next))
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
            MissingResponse::Redirect(to) | MissingResponse::RedirectWithNext(to, _) => KnownAnswer::Redirect(to),
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
        matches!(self.0, MissingResponse::Handler(_) | MissingResponse::RedirectWithNext(..))
    }

    /// The answer; `Err` gives the status to answer with a problem body. A handler answers only where
    /// the request was kept for it.
    pub(crate) async fn answer(&self, request: Option<Request<Body>>) -> Result<Response, StatusCode> {
        match (&self.0, request) {
            (MissingResponse::Status(status), _) => Err(*status),
            (MissingResponse::Redirect(to), _) | (MissingResponse::RedirectWithNext(to, _), None) => {
                Ok(Redirect::to(to).into_response())
            }
            (MissingResponse::RedirectWithNext(to, next), Some(request)) => {
                Ok(Redirect::to(&with_next(to, next, &request)).into_response())
            }
            (MissingResponse::Handler(handler), Some(request)) => Ok(handler(request).await),
            (MissingResponse::Handler(_), None) => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

/// The address, with what the request was for in a parameter if that can be gone back to.
fn with_next(to: &str, next: &str, request: &Request<Body>) -> String {
    // Of a nested router the request has a part of the path alone.
    let uri = request.extensions().get::<OriginalUri>().map_or(request.uri(), |OriginalUri(uri)| uri);
    let wanted = ReturnTo::new(uri.path_and_query().map_or("/", PathAndQuery::as_str));
    let is_to_be_seen = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(path) = wanted.path().filter(|_| is_to_be_seen) else { return to.to_owned() };
    let (address, fragment) = to.split_once('#').map_or((to, None), |(address, fragment)| (address, Some(fragment)));
    let parameter = form_urlencoded::Serializer::new(String::new()).append_pair(next, path).finish();
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{address}{joint}{parameter}{fragment}")
}

/// What `missing = path` names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't answer a request without a session",
    label = "expected an axum handler without state",
    note = "write an `async fn` of extractors that need no state, which returns what implements `IntoResponse`",
    note = "one that takes `State<App>` has `state = App` beside `missing` on a handler, or is given to \
            `Sessions::builder().missing(Missing::handler_with_state(handler, app))`"
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
            MissingResponse::RedirectWithNext(to, next) => write!(f, "Missing(redirect to {to} with {next})"),
            MissingResponse::Handler(_) => f.write_str("Missing(handler)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(to: &'static str, request: http::request::Builder) -> String {
        with_next(to, "next", &request.body(Body::empty()).unwrap())
    }

    #[test]
    fn the_path_and_query_of_a_request_stand_in_the_parameter() {
        let orders = || Request::get("/orders?page=2&q=a%20b");
        let next = "next=%2Forders%3Fpage%3D2%26q%3Da%2520b";
        assert_eq!(location("/login", orders()), format!("/login?{next}"));
        assert_eq!(location("/login?", orders()), format!("/login?{next}"));
        assert_eq!(location("/login?why=needed", orders()), format!("/login?why=needed&{next}"));
        assert_eq!(location("/login?why=needed&", orders()), format!("/login?why=needed&{next}"));
        assert_eq!(location("/login?a#form?x", orders()), format!("/login?a&{next}#form?x"));
        assert_eq!(location("/login", Request::head("https://app.example")), "/login?next=%2F");
    }

    #[test]
    fn what_cannot_be_gone_back_to_is_not_remembered() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "QUERY"] {
            assert_eq!(location("/login", Request::builder().method(method).uri("/orders")), "/login", "{method}");
        }
        for uri in ["//evil.example/x", "http://app.example//evil.example"] {
            assert_eq!(location("/login", Request::get(uri)), "/login", "{uri}");
        }
        let long = format!("/?{}", "a".repeat(3000));
        assert_eq!(location("/login", Request::get(&long)), "/login");
    }

    #[test]
    fn a_nested_router_remembers_the_whole_path() {
        let whole = OriginalUri("/shop/orders?a".parse().unwrap());
        assert_eq!(location("/login", Request::get("/orders?a").extension(whole)), "/login?next=%2Fshop%2Forders%3Fa");
    }
}
