//! What a handler asks of its session, without the handler: what is done with it is compiled once.

use std::time::Duration;

use axum::response::Response;

use crate::guard::Access;
use crate::missing::Missing;
use crate::sessions::{BoxedData, ErasedData};

/// What a handler asks of its session, as values.
#[derive(Clone, Copy)]
pub struct SessionPolicy {
    pub(super) access: Access,
    /// How long ago the person may have proved who they are, if the handler says.
    pub(super) fresh: Option<Duration>,
    /// How long an exclusive borrow may queue, if the handler says.
    pub(super) wait: Option<Duration>,
    /// Whether requests that another site may have made are refused.
    pub(super) csrf: bool,
    /// Whether a change is stored even if the handler failed.
    pub(super) saves_always: bool,
    /// Whether its data is lent, rather than asked for by a guard alone.
    pub(super) lends: bool,
    /// The handler's own `missing`.
    pub(super) missing: fn() -> Option<Missing>,
    /// Whether that is a handler.
    pub(super) missing_handler: bool,
    pub(super) guard: fn(&dyn ErasedData) -> Result<(), Response>,
    /// What an anonymous client gets under `or_default`.
    pub(super) default: fn() -> Option<BoxedData>,
}

impl SessionPolicy {
    const fn of(access: Access) -> Self {
        Self {
            access,
            fresh: None,
            wait: None,
            csrf: true,
            saves_always: false,
            lends: true,
            missing: || None,
            missing_handler: false,
            guard: |_| Ok(()),
            default: || None,
        }
    }

    /// Anonymous requests are turned away.
    pub const fn protected() -> Self {
        Self::of(Access::Protected)
    }

    /// Anonymous requests may enter.
    pub const fn optional() -> Self {
        Self::of(Access::Optional)
    }

    /// Anonymous requests get the default.
    pub const fn or_default(default: fn() -> Option<BoxedData>) -> Self {
        Self { default, ..Self::of(Access::OrDefault) }
    }

    /// `fresh = "..."`
    #[must_use]
    pub const fn fresh(self, age: Duration) -> Self {
        Self { fresh: Some(age), ..self }
    }

    /// `wait = "..."`
    #[must_use]
    pub const fn wait(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    /// `csrf = off`
    #[must_use]
    pub const fn from_any_site(self) -> Self {
        Self { csrf: false, ..self }
    }

    /// `save = always`
    #[must_use]
    pub const fn save_always(self) -> Self {
        Self { saves_always: true, ..self }
    }

    /// A guard without a parameter.
    #[must_use]
    pub const fn unlent(self) -> Self {
        Self { lends: false, ..self }
    }

    /// `missing = ...` with an answer that is known.
    #[must_use]
    pub const fn missing(self, missing: fn() -> Option<Missing>) -> Self {
        Self { missing, ..self }
    }

    /// `missing = ...` with a handler.
    #[must_use]
    pub const fn missing_handler(self, missing: fn() -> Option<Missing>) -> Self {
        Self { missing_handler: true, ..self.missing(missing) }
    }

    /// `guard = ...`
    #[must_use]
    pub const fn guard(self, guard: fn(&dyn ErasedData) -> Result<(), Response>) -> Self {
        Self { guard, ..self }
    }
}
