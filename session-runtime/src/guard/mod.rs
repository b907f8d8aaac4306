//! Who may enter a handler, and what a guard may answer.

mod function;

use std::future::Future;
use std::pin::Pin;

use axum::response::{IntoResponse, Response};
use http::request::Parts;

use function::Called;
pub use function::domain_of;
pub(crate) use function::{AsyncGuardFunction, GuardFunction, StatefulGuardFunction, VerifyFunction};
pub(crate) use function::{NotCalled, Nothing};

/// Who may enter: `protected`, `optional` or `or_default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// A session is needed.
    Protected,
    /// Anonymous requests are admitted.
    Optional,
    /// Anonymous requests get the type's default; a session starts with the first write.
    OrDefault,
}

/// What a guard may return: `bool` (`false` is 403), or `Result<(), R>` with the response to give.
#[diagnostic::on_unimplemented(
    message = "a guard can't return `{Self}`",
    label = "expected `bool` or `Result<(), impl IntoResponse>`",
    note = "a guard is a function or closure of `&T`, such as `|user| user.is_admin`; `false` answers 403",
    note = "an async function is named by `guard = async may_enter`, and given to `protect()` by `guard_with(state, may_enter)`"
)]
pub trait Verdict {
    /// `Ok` lets the request pass; `Err(None)` is the plain 403.
    #[doc(hidden)]
    fn verdict(self) -> Result<(), Option<Response>>;

    /// Whether it can answer the plain 403, and nothing else.
    #[doc(hidden)]
    const FORBIDS: bool;
}

impl Verdict for bool {
    const FORBIDS: bool = true;

    fn verdict(self) -> Result<(), Option<Response>> {
        if self { Ok(()) } else { Err(None) }
    }
}

impl<R: IntoResponse> Verdict for Result<(), R> {
    const FORBIDS: bool = false;

    fn verdict(self) -> Result<(), Option<Response>> {
        self.map_err(|response| Some(response.into_response()))
    }
}

/// What a function named by `verify = path` returns: it is async.
#[diagnostic::on_unimplemented(
    message = "`verify` asks an async function, and this one returns `{Self}`",
    label = "expected an `async fn`",
    note = "write `async fn is_active(data: &User, parts: &axum::http::request::Parts) -> bool`, or with \
            `Result<(), impl IntoResponse>` to answer in its own words"
)]
pub trait AsyncCheck: Sized {
    /// What it answers.
    type Answer;
    /// Itself, known to be a future.
    type Future: Future<Output = Self::Answer>;

    /// Itself.
    fn future(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<A: Future> AsyncCheck for A {
    type Answer = A::Output;
    type Future = A;

    fn future(self) -> A {
        self
    }
}

/// What a function named by `verify = path` may answer: as a guard.
#[diagnostic::on_unimplemented(
    message = "`verify` can't return `{Self}`",
    label = "expected `bool` or `Result<(), impl IntoResponse>`",
    note = "`false` counts the session as none; `Err` answers with a response of its own"
)]
pub trait Verified: Verdict {}

#[diagnostic::do_not_recommend]
impl<V: Verdict> Verified for V {}

/// Asks a function named by `verify = path`.
pub fn ask<'a, T, F: VerifyFunction<'a, T, M>, M>(data: &'a T, parts: &'a Parts, check: F) -> F::Returned {
    check.call(data, parts)
}

/// What it answered.
///
/// # Errors
/// The response to give; `None` counts the session as none.
#[allow(clippy::manual_async_fn, reason = "what is not `Send` is reported where it is named")]
pub fn verified<A: AsyncCheck<Answer: Verified, Future: Send>>(
    asked: A,
) -> impl Future<Output = Result<(), Option<Response>>> + Send {
    let asked = asked.future();
    async { asked.await.verdict() }
}

/// What a function named by `guard = async path` returns: it is async.
#[diagnostic::on_unimplemented(
    message = "`guard = async ..` asks an async function, and this one returns `{Self}`",
    label = "expected an `async fn`",
    note = "leave `async` out for a function of the data alone, or write `async fn may_enter(data: &User, parts: \
            &axum::http::request::Parts) -> bool`, and with `state = Pool` a third parameter `state: &Pool`"
)]
pub trait AsyncGuard: Sized {
    /// What it answers.
    type Answer;
    /// Itself, known to be a future.
    type Future: Future<Output = Self::Answer>;

    /// Itself.
    fn future(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<A: Future> AsyncGuard for A {
    type Answer = A::Output;
    type Future = A;

    fn future(self) -> A {
        self
    }
}

/// An async function of the data, the request and the application's state: a guard, or a `verify`.
///
/// Every `async fn(&T, &Parts, &S)` is one that returns `bool`, or `Result<(), R>` with the response to give. `M` is how it
/// is called, which the compiler infers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be asked about a session",
    label = "expected an `async fn` of `&{T}`, `&Parts` and `&{S}`",
    note = "write `async fn check(data: &{T}, parts: &axum::http::request::Parts, state: &{S}) -> bool`, or with \
            `Result<(), impl IntoResponse>` to answer in its own words"
)]
pub trait StatefulCheck<'a, T, S, M>: Send + Sync + 'static {
    /// Asks it.
    #[doc(hidden)]
    fn ask(&self, data: &'a T, parts: &'a Parts, state: &'a S) -> Answered<'a>;
}

/// What it will answer.
pub(crate) type Answered<'a> = Pin<Box<dyn Future<Output = Result<(), Option<Response>>> + Send + 'a>>;

#[diagnostic::do_not_recommend]
impl<'a, T: 'a, S: 'a, F, A> StatefulCheck<'a, T, S, Called> for F
where
    F: Fn(&'a T, &'a Parts, &'a S) -> A + Send + Sync + 'static,
    A: Future<Output: Verdict> + Send + 'a,
{
    fn ask(&self, data: &'a T, parts: &'a Parts, state: &'a S) -> Answered<'a> {
        let asked = self(data, parts, state);
        Box::pin(async { asked.await.verdict() })
    }
}

#[diagnostic::do_not_recommend]
impl<'a, T: 'a, S: 'a, F: Nothing + Send + Sync + 'static> StatefulCheck<'a, T, S, NotCalled> for F {
    fn ask(&self, _: &'a T, _: &'a Parts, _: &'a S) -> Answered<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}
