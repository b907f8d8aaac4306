#![doc = include_str!("docs/links.md")]
#![doc = include_str!("docs/crate.md")]

// The crate's own examples are written as a user's are.
extern crate self as session_runtime;

// Before all others, which use its macros.
#[macro_use]
mod event;

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "admin")]
mod activity;
#[cfg(feature = "admin")]
pub mod admin;
pub mod backend;
mod clock;
mod codec;
mod crypto;
mod declaration;
#[cfg(feature = "utoipa")]
mod describe;
#[cfg(feature = "device-bound")]
mod device;
mod error;
mod guard;
pub mod guide;
mod id;
#[cfg(feature = "inspect")]
pub mod inspect;
mod invalid;
mod lease;
mod missing;
#[cfg(feature = "utoipa")]
pub mod openapi;
mod record;
mod return_to;
#[cfg(feature = "utoipa")]
mod scheme;
mod session;
mod sessions;
mod setting;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod timers;
mod token;
mod web;

pub use session_derive::SessionData;
#[doc = include_str!("docs/session.md")]
pub use session_derive::session;

pub use self::clock::{Clock, SystemClock, Timestamp};
pub use self::crypto::generate_key;
pub use self::error::{BackendError, DomainError, Error, OpenError};
pub use self::guard::{StatefulCheck, Verdict};
pub use self::id::{ParsePublicIdError, PublicId};
pub use self::invalid::Invalid;
pub use self::missing::Missing;
pub use self::return_to::ReturnTo;
pub use self::session::{Session, SessionSlot, Start, Started, Token};
pub use self::sessions::{
    AllError, AllSessions, Builder, EndAnswer, EndReason, Ended, EndedSession, Listing, OwnerSessions, SessionData,
    SessionOwner, Sessions, Snapshot, StatefulEndHook, StoredSession, UntilEnded,
};
pub use self::setting::FromSetting;
pub use self::web::{Peek, Protect, ProtectLayer, Rejection, Vary, VaryLayer};
#[cfg(feature = "device-bound")]
pub use self::{sessions::Device, web::DeviceBound};
