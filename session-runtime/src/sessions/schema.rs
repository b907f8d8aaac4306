//! What is known of a session's data without its type.

use std::any::Any;

use axum::response::Response;
use futures_util::future::BoxFuture;
use http::request::Parts;

use super::{OwnerKey, Privileges, SessionData};
use crate::codec::{self, DecodeError};
use crate::invalid::Invalid;

/// Data of some type.
pub type BoxedData = Box<dyn ErasedData>;

/// What came of reading it.
type Read = Result<BoxedData, DecodeError>;

/// What the sessions ask of their data: [`SessionData`] without what needs the type's name.
pub trait ErasedData: Any + Send + Sync {
    /// Appends itself to `json`.
    fn encode(&self, json: &mut Vec<u8>) -> Result<(), serde_json::Error>;
    /// Asks its `validate`.
    fn validate(&self) -> Result<(), Invalid>;
    /// Asks its `verify`.
    fn verify<'a>(&'a self, parts: &'a Parts) -> BoxFuture<'a, Result<(), Option<Response>>>;
    /// Whose it is.
    fn owner_key(&self) -> OwnerKey;
    /// The fields that are marked `privilege`.
    fn privileges(&self) -> Result<Privileges, serde_json::Error>;
    /// Whether there is something in a `flash`.
    fn has_flash(&self) -> bool;
    /// Forgets what is.
    fn clear_flash(&mut self);
    /// Forgets what of its flash was `lent`.
    fn consume_flash(&mut self, lent: &dyn ErasedData);
}

impl<T: SessionData> ErasedData for T {
    fn encode(&self, json: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        codec::encode(self, json)
    }

    fn validate(&self) -> Result<(), Invalid> {
        SessionData::validate(self)
    }

    fn verify<'a>(&'a self, parts: &'a Parts) -> BoxFuture<'a, Result<(), Option<Response>>> {
        Box::pin(SessionData::verify(self, parts))
    }

    fn owner_key(&self) -> OwnerKey {
        T::owner_key(self)
    }

    fn privileges(&self) -> Result<Privileges, serde_json::Error> {
        SessionData::privileges(self)
    }

    fn has_flash(&self) -> bool {
        SessionData::has_flash(self)
    }

    fn clear_flash(&mut self) {
        SessionData::clear_flash(self);
    }

    fn consume_flash(&mut self, lent: &dyn ErasedData) {
        SessionData::consume_flash(self, typed(lent));
    }
}

const OF_THIS_TYPE: &str = "the data of sessions is of their type";

/// Data by its type.
///
/// # Panics
/// It is of another one. Whoever names a type has it from sessions of that type.
pub(crate) fn typed<T: SessionData>(data: &dyn ErasedData) -> &T {
    (data as &dyn Any).downcast_ref().expect(OF_THIS_TYPE)
}

/// The same, to change it.
///
/// # Panics
/// As [`typed`].
pub(crate) fn typed_mut<T: SessionData>(data: &mut dyn ErasedData) -> &mut T {
    (data as &mut dyn Any).downcast_mut().expect(OF_THIS_TYPE)
}

/// The same, to own.
///
/// # Panics
/// As [`typed`].
pub(crate) fn owned<T: SessionData>(data: BoxedData) -> T {
    *(data as Box<dyn Any>).downcast().expect(OF_THIS_TYPE)
}

/// What a type of data says of all its values.
pub(crate) struct Schema {
    pub(crate) version: u32,
    /// Whether records are sealed at rest.
    pub(crate) encrypt: bool,
    /// Whether a token that can't be used is refused, instead of counting as none.
    pub(crate) rejects: bool,
    pub(crate) clear_site_data: bool,
    /// Whether `verify` has anything to ask.
    pub(crate) verifies: bool,
    /// The fields that are marked `secret`.
    pub(crate) secrets: &'static [&'static str],
    /// Whether the owner is one of them.
    #[cfg(feature = "admin")]
    pub(crate) owner_is_secret: bool,
    pub(crate) decode: fn(&[u8]) -> Read,
    pub(crate) migrate: fn(u32, &[u8]) -> Option<Read>,
}

impl Schema {
    /// That of `T`.
    pub(super) const fn of<T: SessionData>() -> &'static Self {
        const {
            &Self {
                version: T::VERSION,
                encrypt: T::ENCRYPT,
                rejects: T::REJECTS,
                clear_site_data: T::CLEAR_SITE_DATA,
                verifies: T::VERIFIES,
                secrets: T::SECRETS,
                #[cfg(feature = "admin")]
                owner_is_secret: T::OWNER_IS_SECRET,
                decode: |json| codec::decode::<T>(json).map(|data| Box::new(data) as BoxedData),
                migrate: |version, json| {
                    T::migrate(version, json).map(|migrated| migrated.map(|data| Box::new(data) as BoxedData))
                },
            }
        }
    }

    /// Reads what data of this version was written as; `None` for a version that isn't known.
    pub(crate) fn read(&self, version: u32, json: &[u8]) -> Option<Read> {
        if version == self.version { Some((self.decode)(json)) } else { (self.migrate)(version, json) }
    }
}
