//! The only door for generated code. Nothing here is public API.

pub use ::axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
pub use ::axum::response::{IntoResponse, Response};
pub use ::http::request::Parts;

pub use crate::axum::{
    Exclusive, Owned, Rejection, Shared, Slot, Spec, enter, leases, leave, snapshot, snapshot_optional, unreachable,
    verdict,
};
pub use crate::declaration::{Declaration, Value};
pub use crate::guard::Access;
pub use crate::missing::Missing;

use crate::declaration::FromSetting;
use crate::error::OpenError;

/// Sets one argument of a backend's configuration.
///
/// # Errors
/// The value is missing or can't be read.
pub fn set<V: FromSetting>(slot: &mut V, option: &str, value: Value) -> Result<(), OpenError> {
    *slot = value.read(option)?;
    Ok(())
}
