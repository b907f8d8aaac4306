//! The only door for generated code. Nothing here is public API.

pub use ::axum::extract::{FromRequestParts, OptionalFromRequestParts};
pub use ::axum::response::{IntoResponse, Response};
pub use ::http::request::Parts;

pub use crate::axum::{
    AddSessionAttributeToHandlerOf, ExclusiveFromRef, HasSessions, OwnedFromRef, Parameter, Rejection, SharedFromRef,
    SlotFromRef, Spec, before_others, begins_response, enter, extracted, leases, leave, lends, read, responds,
    responds_in_part, sendable, snapshot, snapshot_optional, unreachable, verdict,
};
pub use crate::declaration::Declaration;
pub use crate::guard::{Access, verify};
#[cfg(feature = "garde")]
pub use crate::invalid::validate_garde;
pub use crate::invalid::{Invalid, validate};
pub use crate::missing::Missing;
pub use crate::setting::Value;
pub use ::serde_json::Error as DecodeError;

use crate::codec;
use crate::error::OpenError;
use crate::sessions::SessionData;
use crate::setting::FromSetting;

/// Sets one argument of a backend's configuration.
///
/// # Errors
/// The value is missing or can't be read.
pub fn set<V: FromSetting>(slot: &mut V, option: &str, value: Value) -> Result<(), OpenError> {
    *slot = value.read(option)?;
    Ok(())
}

/// Data of `O`'s version or an older one, as the type that follows it; `None` for a version that isn't known.
pub fn migrate<O: SessionData, T: From<O>>(version: u32, data: &[u8]) -> Option<Result<T, DecodeError>> {
    let former = if version == O::VERSION { Some(codec::decode(data)) } else { O::migrate(version, data) };
    former.map(|former| former.map(T::from))
}
