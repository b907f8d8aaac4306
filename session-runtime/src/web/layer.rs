//! A tower layer that guards a whole sub-router.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use http::Request;
use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;

use super::authorize::{Found, check_fresh, load, turn_away};
use super::domain::at_domain;
use super::handler::answer_of_guard;
use super::handler_session::{announce, reissued};
use super::passive::Reading;
use super::problem::Rejection;
use super::problem_format::ProblemFormat;
use super::request_memory;
use super::transport;
use super::vary::vary;
use crate::guard::{StatefulCheck, Verdict};
use crate::missing::Missing;
use crate::session::TokenChange;
use crate::sessions::{Check, Core, LoadedSession, SessionData, Sessions};

impl<T: SessionData> Sessions<T> {
    /// A layer that lets only requests with a live session through. The others get what the type's `missing` says.
    ///
    /// It takes what a handler's attribute takes: [`guard`](ProtectLayer::guard) or
    /// [`guard_with`](ProtectLayer::guard_with), [`missing`](ProtectLayer::missing), [`fresh`](ProtectLayer::fresh),
    /// [`csrf_off`](ProtectLayer::csrf_off) and [`touch_off`](ProtectLayer::touch_off). So the routes of one role are one line.
    ///
    /// Cross-site requests are refused as in handlers: see [`session`](macro@crate::session).
    ///
    /// Put it on a sub-router with [`Router::route_layer`](::axum::Router::route_layer). What is behind it
    /// can still borrow the session.
    #[doc = include_str!("../docs/examples/sessions_protect.md")]
    pub fn protect(&self) -> ProtectLayer<T> {
        let policy = LayerPolicy { guards: Vec::new(), missing: None, fresh: None, csrf: true, touches: true };
        ProtectLayer { sessions: self.clone(), policy: Arc::new(policy) }
    }
}

/// See [`Sessions::protect`].
#[must_use]
pub struct ProtectLayer<T: SessionData> {
    sessions: Sessions<T>,
    policy: Arc<LayerPolicy>,
}

/// What a layer asks of a session.
#[derive(Clone)]
struct LayerPolicy {
    guards: Vec<Check>,
    missing: Option<Missing>,
    fresh: Option<Duration>,
    csrf: bool,
    touches: bool,
}

impl LayerPolicy {
    async fn admit(&self, core: &Core, session: &LoadedSession, parts: &Parts) -> Result<(), Response> {
        let proved = session.decoded.meta.authenticated_at;
        check_fresh(core, proved, self.fresh, || self.missing.clone(), Some(parts)).await?;
        for guard in &self.guards {
            answer_of_guard(guard.ask(session.data(), parts).await)?;
        }
        Ok(())
    }
}

impl<T: SessionData> ProtectLayer<T> {
    /// Lets only those in of whom this function of the data says so: `false` is 403, `Err(response)` is that response. As
    /// `guard = ..` of a handler. Of several guards, each is asked.
    #[doc = include_str!("../docs/examples/protect_guard.md")]
    pub fn guard<R: Verdict + 'static>(self, guard: impl Fn(&T) -> R + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.guards.push(Check::at_once(guard)))
    }

    /// The same with an async function of the data, the request's parts and this state, such as a database.
    #[doc = include_str!("../docs/examples/protect_guard_with.md")]
    pub fn guard_with<S: Send + Sync + 'static, M: 'static>(
        self,
        state: S,
        guard: impl for<'a> StatefulCheck<'a, T, S, M>,
    ) -> Self {
        self.with(|policy| policy.guards.push(Check::with_state(state, guard)))
    }

    /// What an anonymous request gets, in place of the type's `missing`; with [`fresh`](Self::fresh), a stale session as
    /// well.
    #[doc = include_str!("../docs/examples/protect_missing.md")]
    pub fn missing(self, missing: Missing) -> Self {
        self.with(|policy| policy.missing = Some(missing))
    }

    /// How long ago the last authentication may be, or the answer is 401 with `max_age`.
    #[doc = include_str!("../docs/examples/protect_fresh.md")]
    pub fn fresh(self, age: Duration) -> Self {
        self.with(|policy| policy.fresh = Some(age))
    }

    /// Serves cross-site requests, as `csrf = off` of a handler: for routes that authenticate in another way as well.
    #[doc = include_str!("../docs/examples/protect_csrf_off.md")]
    pub fn csrf_off(self) -> Self {
        self.with(|policy| policy.csrf = false)
    }

    /// Only looks at the session, as `touch = off` of a handler: for routes that a page asks again and again by itself.
    /// A handler behind it that uses the session still does.
    #[doc = include_str!("../docs/examples/protect_touch_off.md")]
    pub fn touch_off(self) -> Self {
        self.with(|policy| policy.touches = false)
    }

    fn with(mut self, change: impl FnOnce(&mut LayerPolicy)) -> Self {
        change(Arc::make_mut(&mut self.policy));
        self
    }
}

impl<T: SessionData> Clone for ProtectLayer<T> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), policy: Arc::clone(&self.policy) }
    }
}

impl<T: SessionData> fmt::Debug for ProtectLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectLayer").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

impl<T: SessionData, I> Layer<I> for ProtectLayer<T> {
    type Service = Protect<T, I>;

    fn layer(&self, inner: I) -> Protect<T, I> {
        Protect { sessions: self.sessions.clone(), policy: Arc::clone(&self.policy), inner }
    }
}

/// See [`Sessions::protect`].
pub struct Protect<T: SessionData, I> {
    sessions: Sessions<T>,
    policy: Arc<LayerPolicy>,
    inner: I,
}

impl<T: SessionData, I: Clone> Clone for Protect<T, I> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), policy: Arc::clone(&self.policy), inner: self.inner.clone() }
    }
}

impl<T: SessionData, I: fmt::Debug> fmt::Debug for Protect<T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Protect");
        debug.field("sessions", &self.sessions).field("inner", &self.inner).finish_non_exhaustive()
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
        let (core, policy) = (self.sessions.core().clone(), Arc::clone(&self.policy));
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let core = match at_domain(&core, &parts) {
                Ok(placed) => placed,
                Err(denied) => return Ok(denied.into_rejection(&core, &parts).into_response()),
            };
            request_memory::begin(&mut parts);
            let (format, reading) = (ProblemFormat::of(&parts.headers), Reading::of(&parts, policy.touches));
            match load(&core, &parts, policy.csrf, reading).await {
                Ok(Found { session: Ok(session), by, .. }) => {
                    if let Err(refusal) = policy.admit(&core, &session, &parts).await {
                        return Ok(Rejection::new(&core, &parts, refusal).into_response());
                    }
                    let mut response = inner.call(Request::from_parts(parts, body)).await?.into_response();
                    // What is behind the layer may have told the client already.
                    let told = transport::is_told(&core, &by, response.headers());
                    let settled = told || reading == Reading::Look;
                    let change = if settled { TokenChange::Unchanged } else { reissued(&core, Some(&session)) };
                    if let Err(error) = announce(&core, &by, change, response.headers_mut()).await {
                        response = error.into_response();
                        vary(&core, response.headers_mut());
                    }
                    format.apply(&mut response);
                    Ok(response)
                }
                Ok(Found { session: Err(absence), .. }) => {
                    let answer = turn_away(&core, absence, policy.missing.clone(), Some(&parts)).await;
                    Ok(Rejection::new(&core, &parts, answer).into_response())
                }
                Err(denied) => Ok(denied.into_rejection(&core, &parts).into_response()),
            }
        })
    }
}
