//! The extractors that stand in a generated handler's signature, one for each way to take a session.
//!
//! Their names and first parameters, such as `SharedFromRef<Sessions<User>, ..>`, are read by people: they are all that
//! the compiler shows of a handler whose state lacks its sessions.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::axum::extract::FromRequestParts;
use ::axum::response::Response;
use futures_util::future::BoxFuture;
use http::request::Parts;

use super::asked::Asked;
use super::member::{Guest, Member};
use super::problem::Rejection;
use super::state::HasSessions;
use crate::guard::Access;
use crate::missing::Missing;
use crate::sessions::{Core, SessionData};

/// What `#[session(...)]` says of one session type in one handler.
pub trait Spec: Send + Sync + 'static {
    /// The session's type.
    type Data: SessionData;
    /// Who may enter.
    const ACCESS: Access;
    /// Whether the handler is lent the data; `false` where it is only guarded by it.
    const LENDS: bool = true;
    /// How long ago the person may have proved who they are, if the handler says.
    const FRESH: Option<Duration> = None;
    /// How long an exclusive borrow may queue, if the handler says.
    const WAIT: Option<Duration> = None;
    /// Whether requests that another site may have made are refused.
    const CSRF: bool = true;
    /// Whether the handler's own `missing` is a handler.
    const MISSING_HANDLER: bool = false;

    /// The handler's own `missing`.
    fn missing() -> Option<Missing> {
        None
    }

    /// The guard.
    ///
    /// # Errors
    /// The response to give instead.
    fn guard(data: &Self::Data) -> Result<(), Response> {
        let _ = data;
        Ok(())
    }

    /// What a stranger gets under `or_default`.
    fn default() -> Option<Self::Data> {
        None
    }
}

/// An extractor that is being asked.
type Asking<'a> = BoxFuture<'a, Result<Guest, Rejection>>;

/// The same, for the extractor of one handler. What is boxed is compiled with this crate, whoever asks.
struct Extracting<'a, E>(Asking<'a>, PhantomData<fn() -> E>);

impl<E: From<Guest>> Future for Extracting<'_, E> {
    type Output = Result<E, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0.as_mut().poll(cx) {
            Poll::Ready(Ok(guest)) => Poll::Ready(Ok(E::from(guest))),
            Poll::Ready(Err(rejection)) => Poll::Ready(Err(rejection)),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn shared<'a>(core: Core, asked: &'static Asked, parts: &'a Parts) -> Asking<'a> {
    Box::pin(async move { Member::shared(core, asked, parts).await.map(Guest::from) })
}

fn exclusive<'a>(core: Core, asked: &'static Asked, parts: &'a Parts) -> Asking<'a> {
    Box::pin(async move { Member::exclusive(core, asked, parts).await.map(Guest::from) })
}

fn handle<'a>(core: Core, asked: &'static Asked, parts: &'a Parts) -> Asking<'a> {
    Box::pin(async move { Member::handle(core, asked, parts).await.map(Guest::from) })
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident asks $take:ident;)+) => {$(
        $(#[$doc])*
        pub struct $name<H, M> {
            /// The session.
            pub guest: Guest,
            handler: PhantomData<fn() -> (H, M)>,
        }

        impl<H, M> From<Guest> for $name<H, M> {
            fn from(guest: Guest) -> Self {
                Self { guest, handler: PhantomData }
            }
        }

        impl<H, M: Spec, S: HasSessions<M::Data> + Send + Sync> FromRequestParts<S> for $name<H, M> {
            type Rejection = Rejection;

            fn from_request_parts(
                parts: &mut Parts,
                state: &S,
            ) -> impl Future<Output = Result<Self, Rejection>> + Send {
                Extracting($take(state.sessions().core().clone(), Asked::by::<M>(), parts), PhantomData)
            }
        }
    )+};
}

extractors! {
    /// `&T`, `Option<&T>`, and a type that is guarded without a parameter.
    SharedFromRef asks shared;
    /// `&mut T` and `Option<&mut T>`.
    ExclusiveFromRef asks exclusive;
    /// `Session<T>` and `Option<Session<T>>`.
    OwnedFromRef asks handle;
    /// `SessionSlot<T>`.
    SlotFromRef asks handle;
}

/// `protected`, and nothing else: what most handlers ask, so that these need no type of their own.
pub struct Protected<T>(PhantomData<fn() -> T>);

impl<T: SessionData> Spec for Protected<T> {
    type Data = T;
    const ACCESS: Access = Access::Protected;
}

/// `optional`, and nothing else.
pub struct Optional<T>(PhantomData<fn() -> T>);

impl<T: SessionData> Spec for Optional<T> {
    type Data = T;
    const ACCESS: Access = Access::Optional;
}
