//! A session's data as it was when it was read.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

#[cfg(feature = "device-bound")]
use super::Device;
use super::SessionData;
use super::core::Core;
use super::rotation::Credential;
use super::schema::{BoxedData, ErasedData, typed};
use crate::clock::Timestamp;
use crate::id::{IdHash, PublicId, RecordKey, RecordNames};
use crate::record::{Record, SessionMeta};
use crate::token::{Claims, TokenDigest};

/// What is known of a session from its token, and the data that was decoded last.
pub(crate) struct TokenEntry {
    pub(crate) claims: Claims,
    pub(crate) key: RecordKey,
    pub(crate) id_hash: IdHash,
    /// The record, where it travels in the token.
    pub(crate) carried: Option<Box<Record>>,
    /// What the token is remembered by, once it is.
    pub(crate) digest: TokenDigest,
    /// How many bytes all of it takes, as far as the cache of tokens was told.
    size: AtomicU32,
    /// From when on the token is known to be dead, in milliseconds: the session was rotated.
    revoked_at: AtomicU64,
    /// Whether a rotation from this id to another one is without an answer.
    unsettled: AtomicBool,
    /// When this process last saw to it that the owner's list has the session, in milliseconds; 0: not yet.
    listed_at: AtomicU64,
    /// When this process last saw that the session was bound to no device, in milliseconds; 0: not yet.
    #[cfg(feature = "device-bound")]
    unbound_at: AtomicU64,
    decoded: Mutex<Option<Arc<Decoded>>>,
}

/// Data beside the bytes it was decoded from, so that equal bytes need not be decoded again.
pub(crate) struct Decoded {
    pub(crate) data: BoxedData,
    /// The record's body.
    pub(crate) body: Bytes,
    /// The data as JSON, as it is encoded now: what a change is told by. A part of the body, unless that is sealed or of
    /// an older version, or has the data in another order.
    pub(crate) json: Bytes,
    pub(crate) meta: SessionMeta,
    /// Whether another key than the newest one sealed the body, so that it is to be sealed anew.
    pub(crate) retired_seal: bool,
    /// Of the id in force.
    pub(crate) id_hash: IdHash,
}

impl Decoded {
    /// Whether it was decoded from these bytes. A store in this process answers the very same, which need not be read.
    fn is_of(&self, body: &Bytes) -> bool {
        ptr::eq::<[u8]>(&self.body[..], &body[..]) || self.body == body
    }

    /// How many bytes it takes, about, with what an allocator needs: the value is taken for twice its JSON. Rounded, so that a number that gets a digit
    /// more is no other size.
    fn size(&self) -> u32 {
        let bytes = 384 + self.body.len() + 2 * self.json.len();
        u32::try_from(bytes.next_multiple_of(256)).unwrap_or(u32::MAX)
    }
}

impl TokenEntry {
    /// How many bytes it takes without a session's data, its place in the cache included.
    const SIZE: u32 = 384;

    pub(crate) fn new(claims: Claims, names: &RecordNames) -> Self {
        Self::of(claims, claims.id.key(names), claims.id.id_hash())
    }

    fn of(claims: Claims, key: RecordKey, id_hash: IdHash) -> Self {
        Self {
            claims,
            key,
            id_hash,
            carried: None,
            digest: TokenDigest::default(),
            size: AtomicU32::new(Self::SIZE),
            revoked_at: AtomicU64::new(u64::MAX),
            unsettled: AtomicBool::new(false),
            listed_at: AtomicU64::new(0),
            #[cfg(feature = "device-bound")]
            unbound_at: AtomicU64::new(0),
            decoded: Mutex::new(None),
        }
    }

    /// The same id in a token that is made now.
    pub(super) fn with_new_token(&self, now: Timestamp) -> Self {
        let claims = Claims { issued: now, retired_key: false, ..self.claims };
        Self::of(claims, self.key, self.id_hash)
    }

    /// The same session with this record in its token.
    pub(crate) fn carrying(self, record: Record) -> Self {
        let size = Self::SIZE + u32::try_from(record.body.len()).unwrap_or(u32::MAX / 2);
        Self { carried: Some(Box::new(record)), size: AtomicU32::new(size), ..self }
    }

    /// The same session in a token that is about to be remembered.
    pub(crate) fn remembered_by(self, digest: TokenDigest) -> Self {
        Self { digest, ..self }
    }

    /// How many bytes all of it takes, about.
    pub(crate) fn size(&self) -> u32 {
        self.size.load(Ordering::Relaxed)
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Decoded>>> {
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The data that these bytes were decoded to before.
    pub(crate) fn decoded(&self, body: &Bytes) -> Option<Arc<Decoded>> {
        self.slot().as_ref().filter(|decoded| decoded.is_of(body)).map(Arc::clone)
    }

    /// The same, to own; `None` also where somebody else looks at it.
    pub(crate) fn take_decoded(&self, body: &Bytes) -> Option<Decoded> {
        let alone = |decoded: &mut Arc<Decoded>| Arc::strong_count(decoded) == 1 && decoded.is_of(body);
        let decoded = self.slot().take_if(alone)?;
        Arc::into_inner(decoded)
    }

    /// Keeps what was decoded. How many bytes all of it takes, where that is not what it was.
    fn remember(&self, decoded: &Arc<Decoded>) -> Option<u32> {
        *self.slot() = Some(Arc::clone(decoded));
        let size = Self::SIZE.saturating_add(decoded.size());
        (self.size.swap(size, Ordering::Relaxed) != size).then_some(size)
    }

    /// The token is dead for good: the store need not be asked about it again.
    pub(crate) fn revoke(&self) {
        self.revoke_at(Timestamp::from_millis(0));
        self.forget();
    }

    /// The token is dead from this moment on.
    pub(crate) fn revoke_at(&self, moment: Timestamp) {
        self.revoked_at.fetch_min(moment.as_millis(), Ordering::Relaxed);
    }

    pub(crate) fn is_revoked(&self, now: Timestamp) -> bool {
        self.revoked_at.load(Ordering::Relaxed) <= now.as_millis()
    }

    /// Whether the owner's list is to be looked at again, once in an interval. Before this process has seen the session
    /// its last use tells, with which it was entered. Later uses do not: each save is one, and enters nothing.
    pub(super) fn is_listing_due(&self, last_seen: Timestamp, now: Timestamp, interval: Duration) -> bool {
        let listed = match self.listed_at.load(Ordering::Relaxed) {
            0 => last_seen,
            millis => Timestamp::from_millis(millis),
        };
        let due = now.since(listed) >= interval;
        self.listed_at.store(if due { now } else { listed }.as_millis(), Ordering::Relaxed);
        due
    }

    /// Notes that the session was bound to no device at this moment.
    #[cfg(feature = "device-bound")]
    pub(super) fn set_unbound_at(&self, moment: Timestamp) {
        self.unbound_at.fetch_max(moment.as_millis(), Ordering::Relaxed);
    }

    /// When this process last saw that the session was bound to no device.
    #[cfg(feature = "device-bound")]
    pub(super) fn unbound_at(&self) -> Timestamp {
        Timestamp::from_millis(self.unbound_at.load(Ordering::Relaxed))
    }

    pub(super) fn set_unsettled(&self, unsettled: bool) {
        self.unsettled.store(unsettled, Ordering::Relaxed);
    }

    /// Whether it is not known at the moment if this id or another one is in force.
    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Relaxed)
    }

    pub(crate) fn forget(&self) {
        *self.slot() = None;
    }
}

/// When a session ends: however much it is used, and if nobody uses it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) expires: Timestamp,
    pub(crate) idle_expires: Timestamp,
}

/// A session as it was when it was read.
#[derive(Clone)]
pub(crate) struct LoadedSession {
    pub(crate) entry: Arc<TokenEntry>,
    pub(crate) version: u64,
    pub(crate) expires: Timestamp,
    /// When it ends if nobody uses it.
    pub(crate) idle_expires: Timestamp,
    pub(crate) decoded: Arc<Decoded>,
}

impl LoadedSession {
    /// A session whose data was just decoded or written, and will be known when it is asked for again.
    pub(super) fn new(core: &Core, entry: Arc<TokenEntry>, version: u64, ends: Ends, decoded: Decoded) -> Self {
        let session = Self::unshared(entry, version, ends, decoded);
        if let Some(size) = session.entry.remember(&session.decoded) {
            core.0.token_cache.resize(session.entry.digest, &session.entry, size);
        }
        session
    }

    /// A session as one handler alone sees it: its data is not what is stored.
    pub(crate) fn unshared(entry: Arc<TokenEntry>, version: u64, ends: Ends, decoded: Decoded) -> Self {
        let Ends { expires, idle_expires } = ends;
        Self { entry, version, expires, idle_expires, decoded: Arc::new(decoded) }
    }

    pub(super) fn ends(&self) -> Ends {
        Ends { expires: self.expires, idle_expires: self.idle_expires }
    }

    /// The credential by which its handle is used from now on.
    pub(crate) fn credential(&self) -> Credential {
        Credential::Established(self.decoded.meta.generation)
    }

    pub(crate) fn data(&self) -> &dyn ErasedData {
        &*self.decoded.data
    }
}

/// A session's data as it was when it was read: `Deref` to the data, and what is known beside it.
pub struct Snapshot<T> {
    pub(crate) loaded: LoadedSession,
    data: PhantomData<fn() -> T>,
}

impl<T> Snapshot<T> {
    /// A session of this type.
    pub(crate) fn of(loaded: LoadedSession) -> Self {
        Self { loaded, data: PhantomData }
    }

    /// The session's name for logs and pages: a hash, of no use to an attacker.
    pub fn public_id(&self) -> PublicId {
        self.loaded.entry.key.public_id()
    }

    /// When the session started.
    pub fn created_at(&self) -> SystemTime {
        self.loaded.decoded.meta.created.into()
    }

    /// When the session's lifetime ends, however much it is used.
    pub fn expires_at(&self) -> SystemTime {
        self.loaded.expires.into()
    }

    /// Whether the session is bound to a device, as it was when the session was read.
    #[cfg(feature = "device-bound")]
    #[doc = include_str!("../docs/examples/snapshot_device.md")]
    pub fn device(&self) -> Device {
        Device::of(&self.loaded.decoded.meta)
    }

    /// When the session ends if nobody uses it: the idle timeout after its last use, or the end of its lifetime if that is
    /// earlier. A use is this request, unless it only looks: then the end may be a sixteenth of the idle timeout later, at
    /// most a minute, since stores note uses only now and then.
    pub fn idle_expires_at(&self) -> SystemTime {
        self.loaded.idle_expires.into()
    }

    /// How often the session's record has been written: 1 after its start.
    pub fn version(&self) -> u64 {
        self.loaded.version
    }
}

impl<T: SessionData> Deref for Snapshot<T> {
    type Target = T;

    fn deref(&self) -> &T {
        typed(self.loaded.data())
    }
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self::of(self.loaded.clone())
    }
}

impl<T> fmt::Debug for Snapshot<T> {
    /// The data may hold secrets: print it by itself if it doesn't.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("id", &self.public_id())
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}
