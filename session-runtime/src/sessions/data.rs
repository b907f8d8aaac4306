//! What a session's type declares.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Sessions;
use crate::backend::{OpenBackend, Scope};
use crate::declaration::Declaration;
use crate::error::OpenError;
use crate::missing::Missing;

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

    /// What a request without a session gets where one is needed.
    #[doc(hidden)]
    fn missing() -> Missing {
        Missing::status(401)
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
