//! The extractors that stand in a generated handler's signature, one for each way to take a session.
//!
//! Their names and first parameters, such as `SharedFromRef<Sessions<User>, ..>`, are read by people: they are all that
//! the compiler shows of a handler whose state lacks its sessions.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::axum::extract::FromRequestParts;
use ::axum::response::Response;
use futures_util::future::BoxFuture;
use http::request::Parts;

use super::asked::Asked;
use super::member::{Member, OpaqueMember};
use super::problem::Rejection;
use super::state::HasSessions;
use crate::missing::Missing;
use crate::sessions::{AnyData, Core, Data, Sessions};

/// What `#[session(...)]` says of one session type in one handler.
pub trait Spec: 'static {
    /// All that is asked of it, with those of the functions below that it asks.
    const ASKED: Asked;

    /// The guard.
    ///
    /// # Errors
    /// The response to give instead.
    fn guard(_: &dyn AnyData) -> Result<(), Response> {
        Ok(())
    }

    /// The handler's own `missing`.
    fn missing() -> Option<Missing> {
        None
    }

    /// What a stranger gets under `or_default`.
    fn default() -> Option<Data> {
        None
    }
}

/// An extractor that is being asked.
type Asking<'a> = BoxFuture<'a, Result<OpaqueMember, Rejection>>;

/// The same, for the extractor of one handler. What is boxed is compiled with this crate, whoever asks.
struct Extracting<'a, E>(Asking<'a>, PhantomData<fn() -> E>);

impl<E: From<OpaqueMember>> Future for Extracting<'_, E> {
    type Output = Result<E, Rejection>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut().0.as_mut().poll(cx) {
            Poll::Ready(Ok(member)) => Poll::Ready(Ok(E::from(member))),
            Poll::Ready(Err(rejection)) => Poll::Ready(Err(rejection)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// How a session is taken.
#[derive(Clone, Copy)]
enum Take {
    Shared,
    Exclusive,
    Handle,
}

/// Asks for a session. Not of one handler, as its extractor is.
#[expect(clippy::needless_pass_by_value, reason = "to be dropped here, and not in what is compiled for each handler")]
fn ask<'a, T>(sessions: Sessions<T>, take: Take, asked: &'static Asked, parts: &'a Parts) -> Asking<'a> {
    ask_core(sessions.core().clone(), take, asked, parts)
}

/// Not generic, so that it is compiled with this crate.
fn ask_core<'a>(core: Core, take: Take, asked: &'static Asked, parts: &'a Parts) -> Asking<'a> {
    match take {
        Take::Shared => Box::pin(async move { Member::shared(core, asked, parts).await.map(OpaqueMember::from) }),
        Take::Exclusive => Box::pin(async move { Member::exclusive(core, asked, parts).await.map(OpaqueMember::from) }),
        Take::Handle => Box::pin(async move { Member::handle(core, asked, parts).await.map(OpaqueMember::from) }),
    }
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident takes $take:ident;)+) => {$(
        $(#[$doc])*
        pub struct $name<H, M> {
            /// The session.
            pub member: OpaqueMember,
            handler: PhantomData<fn() -> (H, M)>,
        }

        impl<H, M> From<OpaqueMember> for $name<H, M> {
            fn from(member: OpaqueMember) -> Self {
                Self { member, handler: PhantomData }
            }
        }

        impl<T, M: Spec, S: HasSessions<T>> FromRequestParts<S> for $name<Sessions<T>, M> {
            type Rejection = Rejection;

            fn from_request_parts(
                parts: &mut Parts,
                state: &S,
            ) -> impl Future<Output = Result<Self, Rejection>> + Send {
                Extracting(ask(state.sessions_held(), Take::$take, const { &M::ASKED }, parts), PhantomData)
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
    OwnedFromRef takes Handle;
    /// `SessionSlot<T>`.
    SlotFromRef takes Handle;
}

/// `protected`, and nothing else: what most handlers ask, so that these need no type of their own.
pub struct Protected;

impl Spec for Protected {
    const ASKED: Asked = Asked::protected();
}

/// `optional`, and nothing else.
pub struct Optional;

impl Spec for Optional {
    const ASKED: Asked = Asked::optional();
}
