//! Sessions in axum: what generated handlers are made of, and what works without them.

mod authorize;
mod cookies;
mod csrf;
#[cfg(feature = "device-bound")]
mod device;
#[cfg(not(feature = "device-bound"))]
#[path = "device_off.rs"]
mod device;
mod domain;
mod exclusive;
mod extract;
mod handler;
mod handler_session;
mod held;
mod layer;
mod misuse;
mod page_load;
mod passive;
mod problem;
mod problem_format;
mod problem_kind;
mod request_memory;
mod returned;
mod session_policy;
mod snapshot;
mod started;
mod state;
mod transport;
mod type_assertions;
mod vary;
mod withheld;

#[cfg(feature = "testing")]
pub(crate) use self::cookies::fuzz;

#[cfg(feature = "device-bound")]
pub use self::device::DeviceBound;
pub use self::extract::{
    ExclusiveFromRef, Keyed, Optional, OwnedFromRef, Protected, SharedFromRef, SlotFromRef, Spec, SpecKey, SpecOf,
    State, spec_key,
};
#[cfg(feature = "device-bound")]
pub use self::handler::verdict_with_device;
pub use self::handler::{
    HandlerFuture, HandlerSessions, ResponseFuture, answer, answer_unless_failed, ask_guard, ask_guard_with, serve,
    unreachable, verdict, verdict_of,
};
pub use self::layer::{Protect, ProtectLayer};
pub use self::misuse::{AddSessionAttributeToHandlerOf, never};
pub use self::problem::Rejection;
#[cfg(feature = "utoipa")]
pub(crate) use self::problem_kind::ProblemKind;
pub use self::returned::returned;
pub use self::session_policy::{
    ErasedState, GuardFuture, HoldsState, Noted, SessionPolicy, TakesState, state_taken, take_state,
};
pub use self::snapshot::{Peek, snapshot, snapshot_optional};
pub use self::state::HasSessions;
pub use self::type_assertions::{
    Parameter, before_others, begins_response, extracted, lends, read, responds, responds_in_part,
};
pub use self::vary::{Vary, VaryLayer};
