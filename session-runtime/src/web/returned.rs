//! Whether a handler returned `Err`, which discards what it changed.
//!
//! That is decided by the type of what it returned, before a response is made of it: a response does not tell whether it
//! was an `Err`. The methods of the first type are found before those of the types that it derefs to. So an alias is the
//! `Result` that it stands for; of an `impl IntoResponse` nothing is known, whatever is behind it.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;

use axum::response::Response;

/// A handler's answer.
pub struct HandlerAnswer {
    pub(super) response: Response,
    /// Whether it was an `Err`.
    pub(super) failed: bool,
}

/// What a handler returns, if that is a `Result` in a `Result`.
pub struct Returned<R>(PhantomData<fn() -> R>);

/// What a handler returns, if that is a `Result`.
pub struct ReturnedResult<R>(PhantomData<fn() -> R>);

/// What a handler returns, whatever that is.
pub struct ReturnedValue<R>(PhantomData<fn() -> R>);

/// What a handler that has been called will return.
#[expect(clippy::borrowed_box, reason = "a box is what a generated handler has")]
pub fn returned<F: Future>(_: &Box<F>) -> Returned<F::Output> {
    Returned(PhantomData)
}

impl<T, E, F> Returned<Result<Result<T, E>, F>> {
    /// How to tell whether it is an error.
    pub fn failed(&self) -> fn(&Result<Result<T, E>, F>) -> bool {
        |returned| !matches!(returned, Ok(Ok(_)))
    }
}

impl<R> Deref for Returned<R> {
    type Target = ReturnedResult<R>;

    fn deref(&self) -> &ReturnedResult<R> {
        &ReturnedResult(PhantomData)
    }
}

impl<T, E> ReturnedResult<Result<T, E>> {
    /// How to tell whether it is an error.
    pub fn failed(&self) -> fn(&Result<T, E>) -> bool {
        Result::is_err
    }
}

impl<R> Deref for ReturnedResult<R> {
    type Target = ReturnedValue<R>;

    fn deref(&self) -> &ReturnedValue<R> {
        &ReturnedValue(PhantomData)
    }
}

impl<R> ReturnedValue<R> {
    /// It is none.
    pub fn failed(&self) -> fn(&R) -> bool {
        |_| false
    }
}
