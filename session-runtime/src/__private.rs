//! The only door for generated code. Nothing here is public API.

pub use ::http::request::Parts;
pub use ::std::boxed::Box;
pub use ::std::convert::Infallible;
pub use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
pub use axum::response::{IntoResponse, Response};

/// What a description is made of.
#[cfg(feature = "utoipa")]
pub mod openapi {
    pub use ::std::string::String;
    pub use ::std::vec::Vec;
    pub use ::utoipa::__dev::{SchemaReferences, Tags};
    pub use ::utoipa::Path;
    pub use ::utoipa::openapi::path::Operation;
    pub use ::utoipa::openapi::schema::Schema;
    pub use ::utoipa::openapi::{HttpMethod, RefOr};

    #[cfg(feature = "device-bound")]
    pub use crate::describe::device_forbids;
    pub use crate::describe::{
        DescribedHandler, SessionUse, StandsAbovePath, are_distinct, forbids, function_forbids, methods, name_one_of,
        operation, path, schemas, stands_above_path, tags, unreachable,
    };
    pub use crate::scheme::DescribedSession;
}

pub use crate::codec::DecodeError;
#[cfg(feature = "device-bound")]
pub use crate::declaration::DeviceBinding;
pub use crate::declaration::{Declaration, Transport};
pub use crate::guard::{ask, domain_of, verified};
#[cfg(feature = "device-bound")]
pub use crate::web::verdict_with_device;
pub use crate::web::{
    AddSessionAttributeToHandlerOf, ErasedState, ExclusiveFromRef, GuardFuture, HandlerFuture, HandlerSessions,
    HasSessions, HoldsState, Keyed, Noted, Optional, OwnedFromRef, Parameter, Protected, Rejection, ResponseFuture,
    SessionPolicy, SharedFromRef, SlotFromRef, Spec, SpecKey, SpecOf, State, TakesState, answer, answer_unless_failed,
    ask_guard, ask_guard_with, before_others, begins_response, extracted, lends, never, read, responds,
    responds_in_part, returned, serve, snapshot, snapshot_optional, spec_key, state_taken, take_state, unreachable,
    verdict, verdict_of,
};

#[cfg(feature = "garde")]
pub use crate::invalid::validate_garde;
pub use crate::invalid::{Invalid, validate};
pub use crate::missing::Missing;
pub use crate::sessions::{
    BoxedData, EndHook, ErasedData, Flash, LeaseSupport, OwnerKey, Privileges, Public, Redacted, add_privilege, on_end,
    owner_key,
};
pub use crate::setting::Value;
pub use ::serde_json::value::Serializer as JsonSerializer;
pub use ::serde_json::{Error as JsonError, Value as Json};
pub use ::session_rules::cookie::CookieAttribute;

use crate::backend::{OpenBackend, Scope};
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

/// Opens a backend without arguments.
pub fn open<T: SessionData>(scope: &Scope) -> impl Future<Output = Result<T::Backend, OpenError>> + Send {
    T::Backend::open(Default::default(), scope)
}

/// Opens a backend with its arguments. What it finds wrong with one of them is told with the environment variable
/// that the argument came from.
///
/// # Errors
/// As [`OpenBackend::open`].
pub async fn open_with<B: OpenBackend>(
    config: B::Config,
    scope: &Scope,
    arguments: &[(&str, Value)],
) -> Result<B, OpenError> {
    B::open(config, scope).await.map_err(|error| {
        arguments.iter().fold(error, |error, (option, value)| error.with_variable(option, value.variable()))
    })
}

/// An older version of a type, by which its records are read.
pub struct PreviousVersion<O> {
    /// Its version.
    pub version: u32,
    read: fn(u32, &[u8]) -> Read<O>,
}

/// `None` for a version that isn't known.
type Read<T> = Option<Result<T, DecodeError>>;

/// The older version `O` of a type.
pub const fn previous_version<O: SessionData>() -> PreviousVersion<O> {
    let read = |version, data: &[u8]| {
        if version == O::VERSION { Some(codec::decode(data)) } else { O::migrate(version, data) }
    };
    PreviousVersion { version: O::VERSION, read }
}

impl<O> PreviousVersion<O> {
    /// Data of this version or an older one, as the type that follows it; `None` for a version that isn't known.
    pub fn migrate<T: Follows<O>>(self, version: u32, data: &[u8]) -> Option<Result<T, DecodeError>> {
        (self.read)(version, data).map(|previous_version| previous_version.map(T::from))
    }
}

/// A type that its older version can become.
#[diagnostic::on_unimplemented(
    message = "`{O}` can't be converted into `{Self}`",
    label = "there is no `impl From<{O}> for {Self}`",
    note = "write `impl From<{O}> for {Self} {{ fn from(old: {O}) -> Self {{ .. }} }}`"
)]
pub trait Follows<O>: From<O> {}

#[diagnostic::do_not_recommend]
impl<T: From<O>, O> Follows<O> for T {}
