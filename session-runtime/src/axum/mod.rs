//! Sessions in axum: what generated handlers are made of, and what works without them.

mod admission;
mod asked;
mod check;
mod cookies;
mod csrf;
mod exclusive;
mod extract;
mod handler;
mod layer;
mod member;
mod outside;
mod problem;
mod snapshot;
mod state;
mod transport;

#[cfg(feature = "testing")]
pub(crate) use self::cookies::fuzz;

pub use self::asked::Asked;
pub use self::check::{Parameter, before_others, begins_response, extracted, lends, read, responds, responds_in_part};
pub use self::extract::{ExclusiveFromRef, Optional, OwnedFromRef, Protected, SharedFromRef, SlotFromRef, Spec};
pub use self::handler::{Answering, Entered, Running, answer, serve, unreachable, verdict};
pub use self::layer::{Protect, ProtectLayer};
pub use self::outside::AddSessionAttributeToHandlerOf;
pub use self::problem::Rejection;
pub use self::snapshot::{snapshot, snapshot_optional};
pub use self::state::HasSessions;
