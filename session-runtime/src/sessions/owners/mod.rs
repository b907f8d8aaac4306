//! Sessions by their owner: to list them, to end them, and to have no more of them than allowed.

#[cfg(feature = "admin")]
mod by_list;
mod index_store;
mod owner_index;

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;

pub(crate) use self::index_store::IndexStore;
#[cfg(feature = "inspect")]
pub(crate) use self::owner_index::listed_keys;
pub(crate) use self::owner_index::{Entry, is_owner_index};
use super::core::Core;
use super::schema::ErasedData;
use super::{SessionData, Sessions, TokenEntry};
use crate::backend::{Record, RecordKey, touch_interval};
use crate::clock::Timestamp;
use crate::codec;
use crate::error::Error;
use crate::id::PublicId;
use crate::record::Envelope;

/// A session's type with a field that says whose the session is: mark one with `#[session(owner)]`.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use session_runtime::SessionData;
///
/// #[derive(Serialize, Deserialize, SessionData)]
/// struct User {
///     #[session(owner)]
///     id: u64,
///     theme: String,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no owner",
    label = "no field of `{Self}` is marked as the owner",
    note = "put `#[session(owner)]` on the field of `{Self}` that identifies the owner"
)]
pub trait SessionOwner: SessionData {
    /// The type of the field.
    type Owner: Serialize;
}

/// An owner as JSON; `None` for `null`, which is nobody.
pub type OwnerKey = Result<Option<Vec<u8>>, serde_json::Error>;

/// An owner by its key.
///
/// # Errors
/// The owner can't be written as JSON.
pub fn owner_key<O: Serialize + ?Sized>(owner: &O) -> OwnerKey {
    let mut json = Vec::new();
    codec::encode(owner, &mut json)?;
    Ok((json != b"null").then_some(json))
}

/// The owner of a session, as JSON.
pub(super) fn owner_of(data: &dyn ErasedData) -> Result<Option<Vec<u8>>, Error> {
    data.owner_key().map_err(Error::Encode)
}

impl<T: SessionData> Sessions<T> {
    /// The sessions of one owner: to list them, and to end them wherever they are.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{Error, SessionData, Sessions};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct User { #[session(owner)] id: u64 }
    /// async fn account_disabled(users: &Sessions<User>, id: u64) -> Result<usize, Error> {
    ///     users.of(&id).end_all().await
    /// }
    /// ```
    pub fn of<O>(&self, owner: &O) -> OwnerSessions<'_, T>
    where
        T: SessionOwner,
        T::Owner: Borrow<O>,
        O: Serialize + ?Sized,
    {
        OwnerSessions { core: self.core(), owner: owner_key(owner), data: PhantomData }
    }
}

impl Core {
    /// The book of an owner.
    pub(super) fn index(&self, owner: &[u8]) -> IndexStore<'_> {
        let inner = &*self.0;
        IndexStore {
            client: &inner.client,
            queue: &inner.queue,
            key: RecordKey::of_owner(&inner.purpose, owner),
            idle: inner.idle,
            slack: inner.slack,
            ending: inner.end_hooks.is_some().then_some(self),
        }
    }
}

/// The sessions of one owner, by [`Sessions::of`].
///
/// An owner that serializes as `null` (a `None`, say) is nobody, and has no sessions here.
pub struct OwnerSessions<'a, T> {
    core: &'a Core,
    owner: OwnerKey,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> OwnerSessions<'_, T> {
    /// The owner's live sessions, the one that was used last first.
    ///
    /// Looking at a session is no use of it: its idle timeout doesn't slide. Where a store notes uses only now and
    /// then, the last use is known as exactly as that.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down; [`Error::Encode`] for an owner that can't be written as JSON.
    pub async fn list(&self) -> Result<Vec<Listing>, Error> {
        self.core.list(&self.owner).await
    }

    /// Ends the session of this public id, wherever it is used; `false` if it is none of the owner's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down; [`Error::Encode`] for an owner that can't be written as JSON.
    pub async fn end(&self, session: PublicId) -> Result<bool, Error> {
        self.core.end_of(&self.owner, session).await
    }

    /// Ends every session of the owner, and says how many there were. One whose login is under way may start after.
    ///
    /// A store that evicts, as Redis under most values of `maxmemory-policy`, can lose the list of the owner's sessions.
    /// Until one of them is used, that looks like an owner who has none, and is answered with 0.
    ///
    /// # Errors
    /// As [`end`](Self::end); what was ended until then stays so. [`Error::NotListed`] if the list was lost and others may be
    /// missing from it: those that are known have ended. Once the idle timeout has passed the list is whole again.
    pub async fn end_all(&self) -> Result<usize, Error> {
        self.core.end_all_but(&self.owner, None).await
    }

    /// Ends every session of the owner but this one, and says how many there were.
    ///
    /// # Errors
    /// As [`end_all`](Self::end_all). [`Error::NotListed`] as well if this one is not among the owner's sessions: the list
    /// was lost, or this session has ended meanwhile.
    pub async fn end_others(&self, keep: PublicId) -> Result<usize, Error> {
        self.core.end_all_but(&self.owner, Some(keep)).await
    }
}

impl<T> fmt::Debug for OwnerSessions<'_, T> {
    /// Who the owner is may be nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnerSessions").finish_non_exhaustive()
    }
}

/// An owner who is somebody.
fn somebody(owner: &OwnerKey) -> Result<Option<&[u8]>, Error> {
    match owner {
        Ok(owner) => Ok(owner.as_deref()),
        Err(error) => Err(Error::Encode(serde::ser::Error::custom(error))),
    }
}

impl Core {
    /// Sees that a session that is used is in its owner's list.
    pub(super) async fn keep_listed(&self, key: RecordKey, expires: Timestamp, data: &dyn ErasedData) {
        if let Ok(Some(owner)) = owner_of(data) {
            self.index(&owner).keep(Entry { key, expires }).await;
        }
    }

    /// Whether the owner's list is looked at with this use of a session.
    pub(super) fn is_listing_due(&self, entry: &TokenEntry, record: &Record, now: Timestamp) -> bool {
        !self.0.carried && entry.is_listing_due(record.last_seen, now, touch_interval(self.0.idle))
    }

    const AT_ONCE: usize = 16;

    fn list<'a>(&'a self, owner: &'a OwnerKey) -> BoxFuture<'a, Result<Vec<Listing>, Error>> {
        Box::pin(async move {
            let Some(owner) = somebody(owner)? else { return Ok(Vec::new()) };
            let index = self.index(owner);
            let (book, _) = index.read().await?;
            let (mut listings, mut ended) = (Vec::new(), Vec::new());
            for chunk in book.entries.chunks(Self::AT_ONCE) {
                let records = join_all(chunk.iter().map(|entry| index.peek(&entry.key))).await;
                for (entry, record) in chunk.iter().zip(records) {
                    match record? {
                        None => ended.push(entry.key),
                        Some(record) if index.lives(&record) => {
                            listings.extend(self.listing(&entry.key, &record, owner));
                        }
                        // Expired: the next login that looks it through strikes it.
                        Some(_) => {}
                    }
                }
            }
            if !ended.is_empty() {
                index.strike(&ended).await;
            }
            listings.sort_by_key(|listing| std::cmp::Reverse((listing.last_seen, listing.created)));
            Ok(listings)
        })
    }

    fn end_of<'a>(&'a self, owner: &'a OwnerKey, session: PublicId) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            match somebody(owner)? {
                Some(owner) => self.index(owner).end(session).await,
                None => Ok(false),
            }
        })
    }

    fn end_all_but<'a>(&'a self, owner: &'a OwnerKey, keep: Option<PublicId>) -> BoxFuture<'a, Result<usize, Error>> {
        Box::pin(async move {
            match somebody(owner)? {
                Some(owner) => self.index(owner).end_all_but(keep).await,
                None => Ok(0),
            }
        })
    }

    /// A live record as a person sees it; `None` if it can't be read or is somebody else's.
    fn listing(&self, key: &RecordKey, record: &Record, owner: &[u8]) -> Option<Listing> {
        let (envelope, payload) = Envelope::read(&record.body)?;
        let decoded = self.decode(key, record, &envelope, payload)?;
        if owner_of(&*decoded.data).ok()?.as_deref() != Some(owner) {
            return None;
        }
        Some(Listing {
            id: key.public_id(),
            created: decoded.meta.created,
            last_seen: record.last_seen,
            expires: record.expires,
            #[cfg(feature = "device-bound")]
            device: super::Device::of(&decoded.meta),
            label: decoded.meta.label,
        })
    }
}

/// A session as its owner sees it in a list. It holds nothing by which the session could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    id: PublicId,
    created: Timestamp,
    last_seen: Timestamp,
    expires: Timestamp,
    #[cfg(feature = "device-bound")]
    device: super::Device,
    label: Option<Arc<str>>,
}

impl Listing {
    /// The session's name, by which it can be ended: see [`OwnerSessions::end`].
    pub fn public_id(&self) -> PublicId {
        self.id
    }

    /// When it started.
    pub fn created_at(&self) -> SystemTime {
        self.created.into()
    }

    /// When it was last used, as far as the store has noted it.
    pub fn last_seen_at(&self) -> SystemTime {
        self.last_seen.into()
    }

    /// When it ends however much it is used.
    pub fn expires_at(&self) -> SystemTime {
        self.expires.into()
    }

    /// What the login called it: see [`Start::label`](crate::Start::label). It came from outside, so a page escapes it.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Whether it is bound to a device.
    #[cfg(feature = "device-bound")]
    #[doc = include_str!("../../docs/examples/listing_device.md")]
    pub fn device(&self) -> super::Device {
        self.device
    }

    /// Whether it is the session of this public id: `listing.is(session.public_id())` is the one that asks.
    pub fn is(&self, session: PublicId) -> bool {
        self.id == session
    }
}
