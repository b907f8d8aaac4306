//! What generated handlers assert of the user's types, each where the user wrote it. Nothing here does anything.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::body::{Body, Bytes};
use axum::extract::{Form, Json, Path, Query, RawForm, Request};
use axum::response::{IntoResponse, IntoResponseParts, Response};
use http::{StatusCode, response};
use serde::de::DeserializeOwned;

use crate::backend::Leases;
use crate::sessions::SessionData;

/// A session that is borrowed by `&mut` needs a backend with leases.
pub fn lends<T: SessionData<Backend: Leases>>() {}

/// A type in a handler's signature. What is known of axum's own types, whatever the state, are methods of this; all
/// others have those of `Unknown`.
pub struct Parameter<T: ?Sized>(PhantomData<fn(&T)>);

/// A type of which nothing is known.
pub struct Unknown<T: ?Sized>(PhantomData<fn(&T)>);

/// What is asserted of a parameter: of a type, or of `()` where nothing is.
pub trait Asserted {
    /// The type.
    type Type: ?Sized;
}

/// Nothing is.
pub struct NoAssertion;

impl Asserted for NoAssertion {
    type Type = ();
}

/// Something is asserted of `T`.
pub struct Assertion<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized> Asserted for Assertion<T> {
    type Type = T;
}

/// What may stand before another parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes the request's body, so it has to be the last parameter",
    label = "only the last extractor can take the body",
    note = "move it behind the others; in a middleware it stands right before `Next`"
)]
pub trait BeforeOthers {}

impl BeforeOthers for () {}

/// Asserts that a parameter may stand before another one.
pub fn before_others<A: Asserted<Type: BeforeOthers>>(_: A) {}

/// What a request can give.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extractor",
    label = "axum can't take this from a request",
    note = "write `Path(value): Path<{Self}>` for a part of the path, `Query(..)` for the query, `Form(..)` or `Json(..)` \
            for the body, or `State(value): State<{Self}>` for the state"
)]
pub trait Extracted {}

impl Extracted for () {}

/// Asserts that a parameter is an extractor.
pub fn extracted<A: Asserted<Type: Extracted>>(_: A) {}

/// What is read from a request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be read from a request",
    label = "this reads a `{Self}`, which doesn't implement `serde::Deserialize`",
    note = "add `#[derive(serde::Deserialize)]` to `{Self}`"
)]
pub trait Read {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Read for T {}

/// Asserts that what a parameter reads can be read.
pub fn read<A: Asserted<Type: Read>>(_: A) {}

impl<T: ?Sized> Parameter<T> {
    /// The type `T`.
    pub const TYPE: Self = Self(PhantomData);
}

/// Asserts that the last part of a tuple is a response.
pub fn responds<R: IntoResponse>() {}

/// Asserts that another part of a tuple is a part of a response.
pub fn responds_in_part<P: IntoResponseParts>() {}

/// Asserts that the first part of a tuple begins a response.
pub fn begins_response<A: Asserted<Type: IntoResponseParts>>(_: A) {}

impl<T: ?Sized> Deref for Parameter<T> {
    type Target = Unknown<T>;

    fn deref(&self) -> &Unknown<T> {
        &Unknown(PhantomData)
    }
}

impl<T: ?Sized> Unknown<T> {
    /// Whether it takes the request's body.
    pub fn body(&self) -> NoAssertion {
        NoAssertion
    }

    /// What it reads.
    pub fn data(&self) -> NoAssertion {
        NoAssertion
    }

    /// Whether it is an extractor.
    pub fn extractor(&self) -> NoAssertion {
        NoAssertion
    }

    /// Whether a tuple that is a response may begin with it.
    pub fn beginning(&self) -> Assertion<T> {
        Assertion(PhantomData)
    }
}

macro_rules! take_the_body {
    ($([$($generic:ident)?] $ty:ty;)*) => {$(
        impl<$($generic)?> Parameter<$ty> {
            #[doc(hidden)]
            pub fn body(&self) -> Assertion<$ty> {
                Assertion(PhantomData)
            }
        }
    )*};
}

macro_rules! read_data {
    ($($ty:ident)*) => {$(
        impl<T> Parameter<$ty<T>> {
            #[doc(hidden)]
            pub fn data(&self) -> Assertion<T> {
                Assertion(PhantomData)
            }
        }
    )*};
}

macro_rules! are_no_extractors {
    ($([$($generic:ident),*] $ty:ty;)*) => {$(
        impl<$($generic),*> Parameter<$ty> {
            #[doc(hidden)]
            pub fn extractor(&self) -> Assertion<$ty> {
                Assertion(PhantomData)
            }
        }
    )*};
}

take_the_body! {
    [] Body;
    [] Bytes;
    [T] Form<T>;
    [T] Json<T>;
    [] RawForm;
    [] Request;
    [] String;
}

read_data!(Form Json Path Query);

are_no_extractors! {
    [] bool;
    [] char;
    [] f32;
    [] f64;
    [] i8;
    [] i16;
    [] i32;
    [] i64;
    [] i128;
    [] isize;
    [] u8;
    [] u16;
    [] u32;
    [] u64;
    [] u128;
    [] usize;
    [T] Vec<T>;
    [K, V, H] std::collections::HashMap<K, V, H>;
}

macro_rules! begin_a_response {
    ($($ty:ty)*) => {$(
        impl Parameter<$ty> {
            #[doc(hidden)]
            pub fn beginning(&self) -> NoAssertion {
                NoAssertion
            }
        }
    )*};
}

begin_a_response!(StatusCode response::Parts Response<()> Response);
