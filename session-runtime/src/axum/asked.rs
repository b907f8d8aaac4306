//! What a handler asks of its session, without the handler: what is done with it is compiled once.

use std::time::Duration;

use ::axum::response::Response;

use super::extract::Spec;
use crate::guard::Access;
use crate::missing::Missing;
use crate::sessions::{AnyData, Data, typed};

/// What a handler asks of its session, as values.
#[derive(Clone, Copy)]
pub(super) struct Asked {
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
    pub(super) guard: fn(&dyn AnyData) -> Result<(), Response>,
    pub(super) default: fn() -> Option<Data>,
}

impl Asked {
    /// What this handler asks.
    pub(super) const fn by<M: Spec>() -> &'static Self {
        const {
            &Self {
                access: M::ACCESS,
                fresh: M::FRESH,
                wait: M::WAIT,
                csrf: M::CSRF,
                lends: M::LENDS,
                missing_handler: M::MISSING_HANDLER,
                missing: M::missing,
                guard: |data| M::guard(typed(data)),
                default: || M::default().map(|data| Box::new(data) as Data),
            }
        }
    }
}
