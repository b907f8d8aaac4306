//! A handler's sessions without the handler: what is done with them is compiled once for each type, not for each handler.

use std::marker::PhantomData;
use std::time::Duration;

use ::axum::response::Response;

use super::extract::Spec;
use crate::guard::Access;
use crate::missing::Missing;
use crate::sessions::SessionData;

/// What stands for the handler once its session is extracted.
pub struct Erased<T>(PhantomData<fn() -> T>);

impl<T: SessionData> Spec for Erased<T> {
    type Data = T;
    const ACCESS: Access = Access::Optional;
}

/// What a handler asks of its session after the extraction, as values.
pub(super) struct Asked<T> {
    pub(super) access: Access,
    pub(super) fresh: Option<Duration>,
    pub(super) wait: Option<Duration>,
    pub(super) missing: fn() -> Option<Missing>,
    pub(super) guard: fn(&T) -> Result<(), Response>,
    pub(super) default: fn() -> Option<T>,
}

impl<T: SessionData> Asked<T> {
    /// What this handler asks.
    pub(super) fn by<M: Spec<Data = T>>() -> Self {
        Self {
            access: M::ACCESS,
            fresh: M::FRESH,
            wait: M::WAIT,
            missing: M::missing,
            guard: M::guard,
            default: M::default,
        }
    }
}
