//! What a session's type declares.

use std::future::Future;

use axum::response::Response;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{EndHook, OwnerKey, Privileges, Sessions};
use crate::backend::{OpenBackend, Scope};
use crate::codec::DecodeError;
use crate::declaration::Declaration;
use crate::error::{Error, OpenError};
use crate::invalid::Invalid;
use crate::missing::Missing;
#[cfg(feature = "utoipa")]
use crate::scheme::{DescribedSession, SecuritySchemes};

/// The type of a session's data: derive it.
///
#[doc = include_str!("../docs/derive.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the data of a session",
    label = "this type doesn't derive `SessionData`",
    note = "add `#[derive(serde::Serialize, serde::Deserialize, session_runtime::SessionData)]` to `{Self}`"
)]
pub trait SessionData: Serialize + DeserializeOwned + Send + Sync + Sized + 'static {
    /// The backend that the declaration names.
    type Backend: OpenBackend;

    /// Everything else that was declared, not yet resolved: the environment is read at start-up.
    #[doc(hidden)]
    fn declaration() -> Declaration;

    /// Opens the declared backend.
    #[doc(hidden)]
    fn open_backend(scope: &Scope) -> impl Future<Output = Result<Self::Backend, OpenError>> + Send;

    /// Whether the declared backend has leases, so that handlers may borrow exclusively.
    #[doc(hidden)]
    fn lends() -> bool {
        false
    }

    /// What a request without a session gets where one is needed.
    #[doc(hidden)]
    fn missing() -> Missing {
        Missing::checked_status(401)
    }

    /// What is told when a session of this type has ended.
    #[doc(hidden)]
    fn on_end() -> Option<EndHook> {
        None
    }

    /// The version of this type: records of older ones are migrated when they are loaded.
    #[doc(hidden)]
    const VERSION: u32 = 1;

    /// Whose session this is, as JSON; `None` for a type without an owner, and for nobody.
    ///
    /// # Errors
    /// The owner can't be written as JSON.
    #[doc(hidden)]
    fn owner_key(data: &Self) -> OwnerKey {
        let _ = data;
        Ok(None)
    }

    /// Whether it has an owner.
    #[doc(hidden)]
    const OWNED: bool = false;

    /// Whether the owner is marked `secret`.
    #[doc(hidden)]
    const OWNER_IS_SECRET: bool = false;

    /// Whether records are sealed at rest.
    #[doc(hidden)]
    const ENCRYPT: bool = false;

    /// Whether a token that can't be used is refused, instead of counting as none.
    #[doc(hidden)]
    const REJECTS: bool = false;

    /// Whether the end of a session tells the browser to clear what it keeps of the site.
    #[doc(hidden)]
    const CLEAR_SITE_DATA: bool = false;

    /// The fields that are marked `secret`.
    #[doc(hidden)]
    const SECRETS: &'static [&'static str] = &[];

    /// Whether [`verify`](SessionData::verify) has anything to ask.
    #[doc(hidden)]
    const VERIFIES: bool = false;

    /// Data that an older version of this type wrote; `None` for a version that isn't known.
    #[doc(hidden)]
    fn migrate(version: u32, data: &[u8]) -> Option<Result<Self, DecodeError>> {
        let _ = (version, data);
        None
    }

    /// Whether the data keeps the type's rules: asked on every load and before every write.
    ///
    /// # Errors
    /// The fields at fault.
    #[doc(hidden)]
    fn validate(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// Whether the session may be used by this request: asked on every load.
    ///
    /// # Errors
    /// The response to give; `None` counts the session as none.
    #[doc(hidden)]
    fn verify(&self, parts: &Parts) -> impl Future<Output = Result<(), Option<Response>>> + Send {
        let _ = parts;
        async { Ok(()) }
    }

    /// What the fields marked `privilege` are.
    #[doc(hidden)]
    fn privileges(&self) -> Result<Privileges, serde_json::Error> {
        Ok(Privileges::new())
    }

    /// Whether a field marked `flash` has something to read.
    #[doc(hidden)]
    fn has_flash(&self) -> bool {
        false
    }

    /// Forgets what the fields marked `flash` hold.
    #[doc(hidden)]
    fn clear_flash(&mut self) {}

    /// Forgets what of it was `lent`, and keeps what came since.
    #[doc(hidden)]
    fn consume_flash(&mut self, lent: &Self) {
        let _ = lent;
    }

    /// The data as JSON for other eyes than the store's: without the fields that are marked `secret`.
    ///
    /// `Serialize` writes them, since that is how they are stored; answer with this where the type has any.
    ///
    /// # Errors
    /// [`Error::Encode`]: the data can't be written as JSON.
    fn to_public(&self) -> Result<serde_json::Value, Error> {
        self.public_json().map_err(Error::Encode)
    }

    /// What [`to_public`](Self::to_public) returns.
    #[doc(hidden)]
    fn public_json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// The type's security schemes for an OpenAPI description, one for each transport, with the cookie's name in force.
    /// Nothing is opened, and only what concerns the cookie is read from the environment.
    ///
    /// See [the page about descriptions](crate::guide::openapi).
    #[cfg(feature = "utoipa")]
    fn openapi() -> SecuritySchemes
    where
        Self: DescribedSession,
    {
        SecuritySchemes::of(Self::SCHEMES, &Self::declaration())
    }

    /// Opens the sessions of this type as they are declared: reads the environment, checks what it says,
    /// and opens the backend. Several calls open several independent sets.
    ///
    /// # Errors
    /// Every setting that is missing or wrong, with the name of its environment variable and the remedy.
    fn sessions() -> impl Future<Output = Result<Sessions<Self>, OpenError>> + Send {
        Sessions::builder().open()
    }
}
