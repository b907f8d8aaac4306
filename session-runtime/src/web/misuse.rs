//! `Session` and `SessionSlot` outside of `#[session]`, where they do not compile.
//!
//! axum asks the compiler to say nothing of why a handler is none, so that no words of ours are heard there. A state of
//! a name that says what to write is: it is the only one for which these are extractors, so that the compiler expects it
//! where it finds the application's.

use std::convert::Infallible;
use std::marker::PhantomData;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::session::{Session, SessionSlot};
use crate::sessions::{SessionData, Sessions};

/// The state that no application has: a handler that takes `T` needs `#[session(...)]` above it.
pub struct AddSessionAttributeToHandlerOf<T>(Infallible, PhantomData<fn() -> T>);

impl<T> Clone for AddSessionAttributeToHandlerOf<T> {
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

macro_rules! only_under_the_attribute {
    ($($handle:ident)*) => {$(
        #[doc(hidden)]
        impl<T: SessionData> FromRequestParts<AddSessionAttributeToHandlerOf<Self>> for $handle<T> {
            type Rejection = Infallible;

            async fn from_request_parts(
                _: &mut Parts,
                state: &AddSessionAttributeToHandlerOf<Self>,
            ) -> Result<Self, Infallible> {
                match state.0 {}
            }
        }

        #[doc(hidden)]
        impl<T: SessionData> OptionalFromRequestParts<AddSessionAttributeToHandlerOf<Self>> for $handle<T> {
            type Rejection = Infallible;

            async fn from_request_parts(
                _: &mut Parts,
                state: &AddSessionAttributeToHandlerOf<Self>,
            ) -> Result<Option<Self>, Infallible> {
                match state.0 {}
            }
        }
    )*};
}

only_under_the_attribute!(Session SessionSlot);
