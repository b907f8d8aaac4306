//! All sessions of one type: from a token to the data and back. Of HTTP it knows the types that a type's `verify` takes
//! and answers with, and nothing else.
//!
//! [`Core`] does it for every type; what is here names the type again.

mod all;
mod builder;
mod check;
mod core;
mod data;
#[cfg(feature = "device-bound")]
mod device;
#[cfg(feature = "device-bound")]
mod device_note;
#[cfg(feature = "admin")]
mod directory;
mod domains;
mod end_hook;
mod ended;
mod ending;
mod exclusive;
mod field_attributes;
mod flash;
mod forged_token_monitor;
#[cfg(feature = "testing")]
pub(crate) mod fuzz;
mod identity;
mod idle;
mod lease_support;
mod load;
mod owners;
mod passive;
mod record_codec;
#[cfg(test)]
mod remembered;
mod rotation;
mod schema;
mod settle;
mod snapshot;
mod start;
mod sweep;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

pub use self::all::{AllError, AllSessions, StoredSession};
pub use self::builder::Builder;
pub(crate) use self::check::Check;
pub(crate) use self::core::{Core, Login, MAX_RETRIES};
pub use self::data::SessionData;
#[cfg(feature = "device-bound")]
pub use self::device::Device;
#[cfg(feature = "device-bound")]
pub(crate) use self::device::{Refreshed, Registered, Standing};
#[cfg(feature = "admin")]
pub(crate) use self::directory::{Notice, PageOfSessions, Row, Rows};
pub(crate) use self::domains::NoDomain;
pub use self::end_hook::{EndAnswer, EndHook, EndReason, EndedSession, StatefulEndHook, on_end};
pub use self::ended::{Ended, UntilEnded};
pub(crate) use self::exclusive::ExclusiveSession;
pub use self::field_attributes::{Privileges, Public, Redacted, add_privilege};
pub use self::flash::Flash;
pub(crate) use self::forged_token_monitor::{ForgedTokenMonitor, Threshold};
pub use self::lease_support::LeaseSupport;
#[cfg(feature = "inspect")]
pub(crate) use self::owners::listed_keys;
pub use self::owners::{Listing, OwnerKey, OwnerSessions, SessionOwner, owner_key};
pub(crate) use self::rotation::{Credential, Rotation};
pub use self::schema::{BoxedData, ErasedData};
pub(crate) use self::schema::{owned, typed, typed_mut};
pub use self::snapshot::Snapshot;
pub(crate) use self::snapshot::{LoadedSession, TokenEntry};

/// All sessions of type `T`: axum state, cheap to clone.
///
/// Opened by [`T::sessions()`](SessionData::sessions) as the type declares, or by
/// [`Sessions::builder`] with parts of the declaration replaced.
pub struct Sessions<T> {
    // One word, as a router moves its state through many functions for each route.
    core: Arc<Box<dyn ErasedCore>>,
    data: PhantomData<fn() -> T>,
}

/// [`Core`] behind `dyn`, which is `Send` and `Sync` by its word: the compiler asks that of an application's state many
/// times for each handler, and would look through all that is in there each time.
trait ErasedCore: Send + Sync {
    fn as_core(&self) -> &Core;
}

impl ErasedCore for Core {
    fn as_core(&self) -> &Core {
        self
    }
}

impl<T> Clone for Sessions<T> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), data: PhantomData }
    }
}

impl<T> fmt::Debug for Sessions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("cookie", &self.core().0.cookie.name)
            .field("idle", &self.core().0.idle)
            .field("lifetime", &self.core().0.tokens.ttl())
            .finish_non_exhaustive()
    }
}

impl<T> Sessions<T> {
    /// A builder that starts from the type's declaration and replaces parts of it.
    ///
    /// Tests replace the backend without touching a handler:
    ///
    /// ```
    /// # use serde::{Serialize, Deserialize};
    /// # use session_runtime::{SessionData, Sessions, backend::Memory};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct User { name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::OpenError> {
    /// let sessions = Sessions::<User>::builder().backend(Memory::default()).ephemeral_key().open().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> Builder<T> {
        Builder::new()
    }

    pub(crate) fn of_core(core: Core) -> Self {
        Self { core: Arc::new(Box::new(core)), data: PhantomData }
    }

    pub(crate) fn core(&self) -> &Core {
        self.core.as_core()
    }
}
