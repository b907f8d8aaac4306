//! A session's borrow or handle outside of `#[session]`, where it does not compile.
//!
//! axum asks the compiler to say nothing of why a handler is none, so that no words of ours are heard there. A state that
//! no application has is the only one for which these are extractors, so that the compiler takes it for the router's. axum
//! asks every state for `Clone`, and there our words are heard: at the route.
//!
//! Where another parameter, such as `State<App>`, has said what the state is, the conditions of these extractors fail. Of
//! those the compiler would say nothing, but for the types of a function's parameters: so the condition is a function of
//! that state, whose name says what to write.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::session::{Session, SessionSlot};
use crate::sessions::{SessionData, Sessions};

/// The state that no application has: a handler that takes `T` needs `#[session(...)]` above it.
pub struct AddSessionAttributeToHandlerOf<T>(Infallible, PhantomData<fn() -> T>);

/// What a handler may take without `#[session]`: never a session's borrow or handle.
#[diagnostic::on_unimplemented(
    message = "a handler takes `{Self}`, and there is no `#[session(...)]` above it",
    label = "a handler of this router takes `{Self}` without `#[session(...)]`",
    note = "write `#[session(protected)]` above the handler, or `#[session(optional)]` if anonymous requests may enter; \
            `#[debug_handler]`, if it is there, goes below it; without the attribute a handler can take a copy of the data: \
            `user: User`"
)]
pub trait TakenWithoutSessionAttribute {}

impl<T: TakenWithoutSessionAttribute> Clone for AddSessionAttributeToHandlerOf<T> {
    fn clone(&self) -> Self {
        match self.0 {}
    }
}

/// Other handlers of the same router stay quiet.
impl<T, D> FromRef<AddSessionAttributeToHandlerOf<T>> for Sessions<D> {
    fn from_ref(state: &AddSessionAttributeToHandlerOf<T>) -> Self {
        match state.0 {}
    }
}

/// What such an extractor gives: nothing, ever.
pub struct Never<R>(PhantomData<fn() -> R>);

impl<R> Future for Never<R> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<R> {
        Poll::Pending
    }
}

/// What such an extractor gives: there is no such state.
pub fn never<R>() -> Never<R> {
    Never(PhantomData)
}

macro_rules! only_under_the_attribute {
    ($($handle:ident)*) => {$(
        #[doc(hidden)]
        #[diagnostic::do_not_recommend]
        impl<T: SessionData, S: Send + Sync> FromRequestParts<S> for $handle<T>
        where
            fn(AddSessionAttributeToHandlerOf<Self>): FnOnce(S),
        {
            type Rejection = Infallible;

            fn from_request_parts(_: &mut Parts, _: &S) -> impl Future<Output = Result<Self, Infallible>> + Send {
                never()
            }
        }

        #[doc(hidden)]
        #[diagnostic::do_not_recommend]
        impl<T: SessionData, S: Send + Sync> OptionalFromRequestParts<S> for $handle<T>
        where
            fn(AddSessionAttributeToHandlerOf<Self>): FnOnce(S),
        {
            type Rejection = Infallible;

            fn from_request_parts(
                _: &mut Parts,
                _: &S,
            ) -> impl Future<Output = Result<Option<Self>, Infallible>> + Send {
                never()
            }
        }
    )*};
}

only_under_the_attribute!(Session SessionSlot);
