//! The extractors that stand in a generated handler's signature, one for each way to take a session.
//!
//! Each names the state that it is taken from, of which the function asks that it holds the sessions. So the compiler says
//! in our words what a state lacks: axum asks it to say nothing of why a function is no handler. Under `debug_handler`,
//! which takes no generic function, the state is `AnyState`. There, and in a generic function, the first parameters, such
//! as `SharedFromRef<Sessions<User>, ..>`, are all that people see.

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
use super::session_policy::{Demand, ErasedState, GuardFuture, Noted, SessionPolicy, TakesState};
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

    /// The guard, if it looks at the device as well.
    ///
    /// # Errors
    /// The response to give instead.
    fn device_guard(_: &dyn ErasedData, _: Noted<'_>) -> Result<(), Response> {
        Ok(())
    }

    /// The async guard.
    fn async_guard<'a>(_: &'a dyn ErasedData, _: &'a Parts, _: Option<&'a ErasedState>) -> GuardFuture<'a> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// The handler's own `missing`.
    fn missing(_: Option<&ErasedState>) -> Option<Missing> {
        None
    }

    /// What an anonymous client gets under `or_default`.
    fn default() -> Option<BoxedData> {
        None
    }
}

/// The state that a session is taken from.
pub struct State<S>(PhantomData<fn() -> S>);

/// Whatever state there is.
pub struct AnyState;

/// The number of one session of one handler.
pub struct SpecKey<const KEY: u64>;

/// The `Spec` of the session of this number.
///
/// A handler's own type can't be named in its signature, as an `impl` has no place for types. So it stands in the block of
/// the constant `KEY`, and the compiler finds it as the only one of that number.
pub trait SpecOf<M> {}

/// What the spec of this number asks; `M` is found by it.
pub struct Keyed<const KEY: u64, M>(PhantomData<fn() -> M>);

impl<const KEY: u64, M: Spec> Spec for Keyed<KEY, M>
where
    SpecKey<KEY>: SpecOf<M>,
{
    const POLICY: SessionPolicy = M::POLICY;
}

impl<S, const KEY: u64, M: TakesState<S>> TakesState<S> for Keyed<KEY, M>
where
    SpecKey<KEY>: SpecOf<M>,
{
    fn take(state: &S) -> Option<ErasedState> {
        M::take(state)
    }
}

/// A number that no other handler has: of where its attribute stands, and a hash of its signature for those that one macro
/// has made.
pub const fn spec_key(module: &str, line: u32, column: u32, signature: u64) -> u64 {
    let mut hash = signature ^ ((line as u64) << 32) ^ column as u64;
    let mut rest = module.as_bytes();
    while let [first, others @ ..] = rest {
        // As in FNV-1a.
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = others;
    }
    hash
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
    state: Option<ErasedState>,
    parts: &'a mut Parts,
) -> ErasedExtraction<'a> {
    ask_core(sessions.core().clone(), take, Demand { policy, state }, parts)
}

/// Not generic, so that it is compiled with this crate.
fn ask_core<'a>(core: Core, take: BorrowForm, demand: Demand, parts: &'a mut Parts) -> ErasedExtraction<'a> {
    if !matches!(take, BorrowForm::Exclusive) {
        request_memory::begin(parts);
    }
    match take {
        BorrowForm::Shared => {
            Box::pin(async move { HandlerSession::shared(core, demand, parts).await.map(ErasedHandlerSession::from) })
        }
        BorrowForm::Exclusive => Box::pin(async move {
            let mut session = HandlerSession::exclusive(core, demand, parts).await?;
            session.note_held(parts);
            Ok(ErasedHandlerSession::from(session))
        }),
        BorrowForm::Owned => {
            Box::pin(async move { HandlerSession::owned(core, demand, parts).await.map(ErasedHandlerSession::from) })
        }
    }
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident takes $take:ident;)+) => {$(
        $(#[$doc])*
        pub struct $name<H, M, S = AnyState> {
            /// The session.
            pub session: ErasedHandlerSession,
            handler: PhantomData<fn() -> (H, M, S)>,
        }

        impl<H, M, S> From<ErasedHandlerSession> for $name<H, M, S> {
            fn from(session: ErasedHandlerSession) -> Self {
                Self { session, handler: PhantomData }
            }
        }

        impl<T, M: Spec + TakesState<S>, S: HasSessions<T>> FromRequestParts<S> for $name<Sessions<T>, M, State<S>> {
            type Rejection = Rejection;

            fn from_request_parts(
                parts: &mut Parts,
                state: &S,
            ) -> impl Future<Output = Result<Self, Rejection>> + Send {
                let (sessions, part) = (state.sessions_held(), M::take(state));
                ExtractorFuture(ask(sessions, BorrowForm::$take, const { &M::POLICY }, part, parts), PhantomData)
            }
        }

        impl<T, M: Spec + TakesState<S>, S: HasSessions<T>> FromRequestParts<S> for $name<Sessions<T>, M> {
            type Rejection = Rejection;

            fn from_request_parts(
                parts: &mut Parts,
                state: &S,
            ) -> impl Future<Output = Result<Self, Rejection>> + Send {
                let (sessions, part) = (state.sessions_held(), M::take(state));
                ExtractorFuture(ask(sessions, BorrowForm::$take, const { &M::POLICY }, part, parts), PhantomData)
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

impl<S> TakesState<S> for Protected {}

impl Spec for Protected {
    const POLICY: SessionPolicy = SessionPolicy::protected();
}

/// `optional`, and nothing else.
pub struct Optional;

impl<S> TakesState<S> for Optional {}

impl Spec for Optional {
    const POLICY: SessionPolicy = SessionPolicy::optional();
}
