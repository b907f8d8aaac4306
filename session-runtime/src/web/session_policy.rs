//! What a handler asks of its session, without the handler: what is done with it is compiled once.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::request::Parts;

use super::problem;
use crate::guard::Access;
use crate::missing::Missing;
use crate::record::SessionMeta;
#[cfg(feature = "device-bound")]
use crate::sessions::Device;
use crate::sessions::{BoxedData, ErasedData};

/// What `state = ...` names, taken from the application's state.
pub type ErasedState = Arc<dyn Any + Send + Sync>;

/// An async guard that has been asked.
pub type GuardFuture<'a> = BoxFuture<'a, Result<(), Response>>;

/// `guard = async ...`
type AskGuard = for<'a> fn(&'a dyn ErasedData, &'a Parts, Option<&'a ErasedState>) -> GuardFuture<'a>;

/// A spec whose functions take something of the application's state, or nothing.
pub trait TakesState<S> {
    /// Takes it.
    fn take(_: &S) -> Option<ErasedState> {
        None
    }
}

/// Takes what `state = ...` names.
pub fn take_state<X: Send + Sync + 'static, S: HoldsState<X>>(state: &S) -> Option<ErasedState> {
    Some(Arc::new(state.part_held()))
}

/// An application's state that has what `state = ...` names: every one with `X: FromRef<State>`.
#[diagnostic::on_unimplemented(
    message = "the state `{Self}` has no `{X}`, which `state = {X}` asks for: `{X}: FromRef<{Self}>` is not satisfied",
    label = "takes a `{X}` from the state, which `{Self}` doesn't hold",
    note = "give the state's struct a field of type `{X}` and `#[derive(Clone, axum::extract::FromRef)]`, or name the whole \
            state: `state = {Self}`"
)]
pub trait HoldsState<X> {
    /// What it names.
    #[doc(hidden)]
    fn part_held(&self) -> X;
}

#[diagnostic::do_not_recommend]
impl<S, X: FromRef<S>> HoldsState<X> for S {
    fn part_held(&self) -> X {
        X::from_ref(self)
    }
}

/// What was taken.
///
/// # Panics
/// Nothing was, or something else: whatever takes it stands beside what uses it, of the same type.
pub fn state_taken<X: 'static>(state: Option<&ErasedState>) -> &X {
    state.and_then(|state| state.downcast_ref()).expect("the extractor took what `state = ..` names")
}

/// What a handler asks of its session, with what its functions take of the application's state.
#[derive(Clone)]
pub(super) struct Demand {
    pub(super) policy: &'static SessionPolicy,
    pub(super) state: Option<ErasedState>,
}

impl Demand {
    /// The handler's own `missing`.
    pub(super) fn missing(&self) -> Option<Missing> {
        (self.policy.missing)(self.state.as_ref())
    }

    /// Asks the handler's guard. Where that may need the request, its parts have been kept. A default has nothing noted.
    pub(super) async fn guard(
        &self,
        data: &dyn ErasedData,
        meta: Option<&SessionMeta>,
        parts: Option<&Parts>,
    ) -> Result<(), Response> {
        (self.policy.guard)(data)?;
        (self.policy.device_guard)(data, Noted(meta))?;
        match (self.policy.async_guard, parts) {
            (None, _) => Ok(()),
            (Some(ask), Some(parts)) => ask(data, parts, self.state.as_ref()).await,
            (Some(_), None) => Err(problem::forbidden()),
        }
    }
}

/// What is noted of a session beside its data.
#[derive(Clone, Copy)]
pub struct Noted<'a>(#[cfg_attr(not(feature = "device-bound"), expect(dead_code))] Option<&'a SessionMeta>);

#[cfg(feature = "device-bound")]
impl Noted<'_> {
    pub(super) fn device(self) -> Device {
        self.0.map_or(Device::Unbound, Device::of)
    }
}

/// What a handler asks of its session, as values.
#[derive(Clone, Copy)]
pub struct SessionPolicy {
    pub(super) access: Access,
    /// How long ago the person may have proved who they are, if the handler says.
    pub(super) fresh: Option<Duration>,
    /// How long ago the device may have proved its key, if the handler says.
    pub(super) device: Option<Duration>,
    /// How long an exclusive borrow may queue, if the handler says.
    pub(super) wait: Option<Duration>,
    /// Whether requests that another site may have made are refused.
    pub(super) csrf: bool,
    /// Whether a request is a use of the session.
    pub(super) touches: bool,
    /// Whether a change is stored even if the handler failed.
    pub(super) saves_always: bool,
    /// Whether its data is lent, rather than asked for by a guard alone.
    pub(super) lends: bool,
    /// Whether it is a middleware, with others behind it in the same request.
    pub(super) passes_on: bool,
    /// The handler's own `missing`.
    pub(super) missing: fn(Option<&ErasedState>) -> Option<Missing>,
    /// Whether that answers by the request, as a handler does.
    pub(super) missing_handler: bool,
    pub(super) guard: fn(&dyn ErasedData) -> Result<(), Response>,
    /// A guard that looks at the device as well.
    pub(super) device_guard: fn(&dyn ErasedData, Noted<'_>) -> Result<(), Response>,
    pub(super) async_guard: Option<AskGuard>,
    /// What an anonymous client gets under `or_default`.
    pub(super) default: fn() -> Option<BoxedData>,
}

impl SessionPolicy {
    const fn of(access: Access) -> Self {
        Self {
            access,
            fresh: None,
            device: None,
            wait: None,
            csrf: true,
            touches: true,
            saves_always: false,
            lends: true,
            passes_on: false,
            missing: |_| None,
            missing_handler: false,
            guard: |_| Ok(()),
            device_guard: |_, _| Ok(()),
            async_guard: None,
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

    /// `device = "..."`
    #[cfg(feature = "device-bound")]
    #[must_use]
    pub const fn device<T: super::DeviceBound>(self, age: Duration) -> Self {
        Self { device: Some(age), ..self }
    }

    /// `guard = |data, device| ...`
    #[cfg(feature = "device-bound")]
    #[must_use]
    pub const fn device_guard<T: super::DeviceBound>(
        self,
        device_guard: fn(&dyn ErasedData, Noted<'_>) -> Result<(), Response>,
    ) -> Self {
        Self { device_guard, ..self }
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

    /// `touch = off`
    #[must_use]
    pub const fn untouched(self) -> Self {
        Self { touches: false, ..self }
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

    /// A middleware.
    #[must_use]
    pub const fn passes_on(self) -> Self {
        Self { passes_on: true, ..self }
    }

    /// `missing = ...` with an answer that is known.
    #[must_use]
    pub const fn missing(self, missing: fn(Option<&ErasedState>) -> Option<Missing>) -> Self {
        Self { missing, ..self }
    }

    /// `missing = ...` with a handler, or with the way back.
    #[must_use]
    pub const fn missing_handler(self, missing: fn(Option<&ErasedState>) -> Option<Missing>) -> Self {
        Self { missing_handler: true, ..self.missing(missing) }
    }

    /// `guard = async ...`
    #[must_use]
    pub const fn async_guard(self, guard: AskGuard) -> Self {
        Self { async_guard: Some(guard), ..self }
    }

    /// `guard = ...`
    #[must_use]
    pub const fn guard(self, guard: fn(&dyn ErasedData) -> Result<(), Response>) -> Self {
        Self { guard, ..self }
    }
}
