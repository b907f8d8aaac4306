//! The extractors that stand in a generated handler's signature, one for each way to take a session.
//!
//! Their names and first parameters, such as `SharedFromRef<Sessions<User>, ..>`, are read by people: they are all that
//! the compiler shows of a handler whose state lacks its sessions.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::FromRequestParts;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::request::Parts;

use super::handler_session::{ErasedHandlerSession, HandlerSession};
use super::problem::Rejection;
use super::request_memory;
use super::session_policy::SessionPolicy;
use super::state::HasSessions;
use crate::missing::Missing;
use crate::sessions::{BoxedData, Core, ErasedData, Sessions};

/// What `#[session(...)]` says of one session type in one handler.
pub trait Spec: 'static {
    /// All that is asked of it, with those of the functions below that it asks.
    const POLICY: SessionPolicy;

    /// The guard.
    ///
    /// # Errors
    /// The response to give instead.
    fn guard(_: &dyn ErasedData) -> Result<(), Response> {
        Ok(())
    }

    /// The handler's own `missing`.
    fn missing() -> Option<Missing> {
        None
    }

    /// What an anonymous client gets under `or_default`.
    fn default() -> Option<BoxedData> {
        None
    }
}

/// An extractor that is being asked.
type ErasedExtraction<'a> = BoxFuture<'a, Result<ErasedHandlerSession, Rejection>>;

/// The same, for the extractor of one handler. What is boxed is compiled with this crate, whoever asks.
struct ExtractorFuture<'a, E>(ErasedExtraction<'a>, PhantomData<fn() -> E>);

impl<E: From<ErasedHandlerSession>> Future for ExtractorFuture<'_, E> {
    type Output = Result<E, Rejection>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut().0.as_mut().poll(cx) {
            Poll::Ready(Ok(session)) => Poll::Ready(Ok(E::from(session))),
            Poll::Ready(Err(rejection)) => Poll::Ready(Err(rejection)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// How a session is taken.
#[derive(Clone, Copy)]
enum BorrowForm {
    Shared,
    Exclusive,
    Owned,
}

/// Asks for a session. Not of one handler, as its extractor is.
#[expect(clippy::needless_pass_by_value, reason = "to be dropped here, and not in what is compiled for each handler")]
fn ask<'a, T>(
    sessions: Sessions<T>,
    take: BorrowForm,
    policy: &'static SessionPolicy,
    parts: &'a mut Parts,
) -> ErasedExtraction<'a> {
    ask_core(sessions.core().clone(), take, policy, parts)
}

/// Not generic, so that it is compiled with this crate.
fn ask_core<'a>(
    core: Core,
    take: BorrowForm,
    policy: &'static SessionPolicy,
    parts: &'a mut Parts,
) -> ErasedExtraction<'a> {
    if !matches!(take, BorrowForm::Exclusive) {
        request_memory::begin(parts);
    }
    match take {
        BorrowForm::Shared => {
            Box::pin(async move { HandlerSession::shared(core, policy, parts).await.map(ErasedHandlerSession::from) })
        }
        BorrowForm::Exclusive => {
            Box::pin(
                async move { HandlerSession::exclusive(core, policy, parts).await.map(ErasedHandlerSession::from) },
            )
        }
        BorrowForm::Owned => {
            Box::pin(async move { HandlerSession::owned(core, policy, parts).await.map(ErasedHandlerSession::from) })
        }
    }
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident takes $take:ident;)+) => {$(
        $(#[$doc])*
        pub struct $name<H, M> {
            /// The session.
            pub session: ErasedHandlerSession,
            handler: PhantomData<fn() -> (H, M)>,
        }

        impl<H, M> From<ErasedHandlerSession> for $name<H, M> {
            fn from(session: ErasedHandlerSession) -> Self {
                Self { session, handler: PhantomData }
            }
        }

        impl<T, M: Spec, S: HasSessions<T>> FromRequestParts<S> for $name<Sessions<T>, M> {
            type Rejection = Rejection;

            fn from_request_parts(
                parts: &mut Parts,
                state: &S,
            ) -> impl Future<Output = Result<Self, Rejection>> + Send {
                ExtractorFuture(ask(state.sessions_held(), BorrowForm::$take, const { &M::POLICY }, parts), PhantomData)
            }
        }
    )+};
}

extractors! {
    /// `&T`, `Option<&T>`, and a type that is guarded without a parameter.
    SharedFromRef takes Shared;
    /// `&mut T` and `Option<&mut T>`.
    ExclusiveFromRef takes Exclusive;
    /// `Session<T>` and `Option<Session<T>>`.
    OwnedFromRef takes Owned;
    /// `SessionSlot<T>`.
    SlotFromRef takes Owned;
}

/// `protected`, and nothing else: what most handlers ask, so that these need no type of their own.
pub struct Protected;

impl Spec for Protected {
    const POLICY: SessionPolicy = SessionPolicy::protected();
}

/// `optional`, and nothing else.
pub struct Optional;

impl Spec for Optional {
    const POLICY: SessionPolicy = SessionPolicy::optional();
}
