//! What a handler asks of its session, without the handler: what is done with it is compiled once for each type.

use std::time::Duration;

use ::axum::response::Response;

use super::extract::Spec;
use crate::guard::Access;
use crate::missing::Missing;
use crate::sessions::SessionData;

/// What a handler asks of its session, as values.
pub(super) struct Asked<T> {
    pub(super) access: Access,
    pub(super) fresh: Option<Duration>,
    pub(super) wait: Option<Duration>,
    /// Whether requests that another site may have made are refused.
    pub(super) csrf: bool,
    /// Whether its data is lent, rather than asked for by a guard alone.
    pub(super) lends: bool,
    /// Whether `missing` is a handler.
    pub(super) missing_handler: bool,
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
            csrf: M::CSRF,
            lends: M::LENDS,
            missing_handler: M::MISSING_HANDLER,
            missing: M::missing,
            guard: M::guard,
            default: M::default,
        }
    }
}
