//! Checks that are given at run time: a guard of `protect()`, and a `verify` with the application's state.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::response::Response;
use futures_util::future::BoxFuture;
use http::request::Parts;

use super::SessionData;
use super::schema::{ErasedData, typed};
use crate::guard::{StatefulCheck, Verdict};

/// What a check says: `Err(None)` leaves the answer to whoever asked.
type Asked<'a> = BoxFuture<'a, Result<(), Option<Response>>>;

/// A check of the data of some type.
#[derive(Clone)]
pub(crate) struct Check(Arc<dyn ErasedCheck>);

trait ErasedCheck: Send + Sync {
    fn ask<'a>(&'a self, data: &'a dyn ErasedData, parts: &'a Parts) -> Asked<'a>;
}

struct AtOnce<T, F>(F, PhantomData<fn(&T)>);

impl<T: SessionData, R: Verdict, F: Fn(&T) -> R + Send + Sync> ErasedCheck for AtOnce<T, F> {
    fn ask<'a>(&'a self, data: &'a dyn ErasedData, _: &'a Parts) -> Asked<'a> {
        let verdict = (self.0)(typed(data)).verdict();
        Box::pin(std::future::ready(verdict))
    }
}

struct WithState<T, S, F, M>(S, F, PhantomData<fn(&T, M)>);

impl<T, S, F, M> ErasedCheck for WithState<T, S, F, M>
where
    T: SessionData,
    S: Send + Sync,
    F: for<'a> StatefulCheck<'a, T, S, M>,
{
    fn ask<'a>(&'a self, data: &'a dyn ErasedData, parts: &'a Parts) -> Asked<'a> {
        self.1.ask(typed(data), parts, &self.0)
    }
}

impl Check {
    /// A function of the data.
    pub(crate) fn at_once<T: SessionData, R: Verdict + 'static>(
        check: impl Fn(&T) -> R + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(AtOnce(check, PhantomData)))
    }

    /// An async function of the data, the request and the state.
    pub(crate) fn with_state<T: SessionData, S: Send + Sync + 'static, M: 'static>(
        state: S,
        check: impl for<'a> StatefulCheck<'a, T, S, M>,
    ) -> Self {
        Self(Arc::new(WithState(state, check, PhantomData)))
    }

    pub(crate) fn ask<'a>(&'a self, data: &'a dyn ErasedData, parts: &'a Parts) -> Asked<'a> {
        self.0.ask(data, parts)
    }
}
