//! What generated handlers assert of the user's types, each where the user wrote it. Nothing here does anything.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;

use ::axum::body::{Body, Bytes};
use ::axum::extract::{Form, Json, Path, Query, RawForm, Request};
use serde::de::DeserializeOwned;

use crate::backend::Leases;
use crate::sessions::SessionData;

/// A session that is borrowed by `&mut` needs a backend with leases.
pub fn lends<T: SessionData<Backend: Leases>>() {}

/// The handler's future, once it is known to be `Send`. What is returned is `Send` for the compiler whatever the
/// handler is, so that one that isn't is reported once.
pub fn sendable<F: Future + Send>(future: F) -> impl Future<Output = F::Output> + Send {
    future
}

/// A parameter's type. What is known of axum's own extractors, whatever the state, are methods of this; all other types
/// have those of [`Unknown`].
pub struct Parameter<T: ?Sized>(PhantomData<fn(&T)>);

/// A type of which nothing is known.
pub struct Unknown;

/// Nothing speaks against the type.
pub struct Fine;

/// It takes the request's body.
pub struct TakesTheBody;

/// No request gives it.
pub struct NoExtractor;

impl<T: ?Sized> Parameter<T> {
    /// The type `T`.
    pub const TYPE: Self = Self(PhantomData);
}

impl<T: ?Sized> Deref for Parameter<T> {
    type Target = Unknown;

    fn deref(&self) -> &Unknown {
        &Unknown
    }
}

impl Unknown {
    /// Whether it takes the request's body.
    pub fn body(&self) -> Fine {
        Fine
    }

    /// What it reads.
    pub fn data(&self) -> Fine {
        Fine
    }

    /// Whether it is an extractor.
    pub fn extractor(&self) -> Fine {
        Fine
    }
}

/// What may stand before another parameter.
#[diagnostic::on_unimplemented(
    message = "`{T}` takes the request's body, so it has to be the last parameter",
    label = "move this parameter behind the others",
    note = "the session's parameters can stand anywhere before it"
)]
pub trait BeforeOthers<T: ?Sized> {}
impl<T: ?Sized> BeforeOthers<T> for Fine {}

/// Asserts that a parameter may stand before another one.
pub fn before_others<T: ?Sized, A: BeforeOthers<T>>(_: A) {}

/// What a request can give.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not an extractor: no request gives it as it is",
    label = "say where it comes from",
    note = "write `Path(value): Path<{T}>` for a part of the path, `Query(..)` for the query, `Form(..)` or `Json(..)` \
            for the body, or `State(value): State<{T}>` for the state"
)]
pub trait Extracted<T: ?Sized> {}
impl<T: ?Sized> Extracted<T> for Fine {}

/// Asserts that a parameter is an extractor.
pub fn extracted<T: ?Sized, A: Extracted<T>>(_: A) {}

/// What is read from a request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be read from a request",
    label = "this reads a `{Self}`, which doesn't implement `serde::Deserialize`",
    note = "add `#[derive(serde::Deserialize)]` to `{Self}`"
)]
pub trait Read {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Read for T {}

/// An extractor that reads something.
pub trait Reads {
    /// What it reads.
    type Data;
}

impl Reads for Fine {
    type Data = ();
}

/// It reads a `T`.
pub struct Data<T>(PhantomData<fn() -> T>);

impl<T> Reads for Data<T> {
    type Data = T;
}

/// Asserts that what a parameter reads can be read.
pub fn read<A: Reads<Data: Read>>(_: A) {}

macro_rules! take_the_body {
    ($([$($generic:ident)?] $ty:ty;)*) => {$(
        impl<$($generic)?> Parameter<$ty> {
            #[doc(hidden)]
            pub fn body(&self) -> TakesTheBody {
                TakesTheBody
            }
        }
    )*};
}

macro_rules! read_data {
    ($($ty:ident)*) => {$(
        impl<T> Parameter<$ty<T>> {
            #[doc(hidden)]
            pub fn data(&self) -> Data<T> {
                Data(PhantomData)
            }
        }
    )*};
}

macro_rules! are_no_extractors {
    ($([$($generic:ident),*] $ty:ty;)*) => {$(
        impl<$($generic),*> Parameter<$ty> {
            #[doc(hidden)]
            pub fn extractor(&self) -> NoExtractor {
                NoExtractor
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
