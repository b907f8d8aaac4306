//! Sessions in axum: what generated handlers are made of, and what works without them.

mod admission;
mod cookies;
mod extract;
mod handler;
mod layer;
mod member;
mod problem;
mod snapshot;

pub use self::extract::{Exclusive, Owned, Shared, Slot, Spec};
pub use self::handler::{enter, leases, leave, unreachable, verdict};
pub use self::layer::{Protect, ProtectLayer};
pub use self::problem::Rejection;
pub use self::snapshot::{snapshot, snapshot_optional};
