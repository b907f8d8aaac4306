//! A session's data as it was when it was read.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;

use super::SessionData;
use super::renewal::Right;
use super::schema::{AnyData, Data, typed};
use crate::clock::Timestamp;
use crate::id::{Handle, Key, Proof};
use crate::record::{About, Record};
use crate::token::Claims;

/// What is known of a session from its token, and the data that was decoded last.
pub(crate) struct Known {
    pub(crate) claims: Claims,
    pub(crate) key: Key,
    pub(crate) proof: Proof,
    /// The record, where it travels in the token.
    pub(crate) carried: Option<Record>,
    /// From when on the token is known to be dead, in milliseconds: the session was renewed.
    dead: AtomicU64,
    decoded: Mutex<Option<Arc<Decoded>>>,
}

/// Data beside the bytes it was decoded from, so that equal bytes need not be decoded again.
pub(crate) struct Decoded {
    pub(crate) data: Data,
    /// The record's body.
    pub(crate) body: Bytes,
    /// The data as JSON: what a change is told by. A part of the body, unless that is sealed or of an
    /// older version.
    pub(crate) json: Bytes,
    pub(crate) about: About,
    /// Whether another key than the newest one sealed the body, so that it is to be sealed anew.
    pub(crate) retired_seal: bool,
    /// Of the id in force.
    pub(crate) proof: Proof,
}

impl Known {
    pub(crate) fn new(claims: Claims, purpose: &str) -> Self {
        let (key, proof) = (claims.id.key(purpose), claims.id.proof());
        Self { claims, key, proof, carried: None, dead: AtomicU64::new(u64::MAX), decoded: Mutex::new(None) }
    }

    /// The same session with this record in its token.
    pub(crate) fn carrying(self, record: Record) -> Self {
        Self { carried: Some(record), ..self }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Decoded>>> {
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The data that these bytes were decoded to before.
    pub(crate) fn decoded(&self, body: &Bytes) -> Option<Arc<Decoded>> {
        self.slot().as_ref().filter(|decoded| decoded.body == body).map(Arc::clone)
    }

    /// The same, to own; `None` also where somebody else looks at it.
    pub(crate) fn take_decoded(&self, body: &Bytes) -> Option<Decoded> {
        let decoded = self.slot().take_if(|decoded| decoded.body == body)?;
        Arc::into_inner(decoded)
    }

    pub(crate) fn remember(&self, decoded: &Arc<Decoded>) {
        *self.slot() = Some(Arc::clone(decoded));
    }

    /// The token is dead for good: the store need not be asked about it again.
    pub(crate) fn bury(&self) {
        self.bury_at(Timestamp::from_millis(0));
        self.forget();
    }

    /// The token is dead from this moment on.
    pub(crate) fn bury_at(&self, moment: Timestamp) {
        self.dead.fetch_min(moment.as_millis(), Ordering::Relaxed);
    }

    pub(crate) fn is_dead(&self, now: Timestamp) -> bool {
        self.dead.load(Ordering::Relaxed) <= now.as_millis()
    }

    pub(crate) fn forget(&self) {
        *self.slot() = None;
    }
}

/// A session as it was when it was read.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) known: Arc<Known>,
    pub(crate) version: u64,
    pub(crate) expires: Timestamp,
    pub(crate) decoded: Arc<Decoded>,
}

impl Loaded {
    /// A session whose data was just decoded or written, and will be known when it is asked for again.
    pub(crate) fn new(known: Arc<Known>, version: u64, expires: Timestamp, decoded: Decoded) -> Self {
        let decoded = Arc::new(decoded);
        known.remember(&decoded);
        Self { known, version, expires, decoded }
    }

    /// A session as one handler alone sees it: its data is not what is stored.
    pub(crate) fn unshared(known: Arc<Known>, version: u64, expires: Timestamp, decoded: Decoded) -> Self {
        Self { known, version, expires, decoded: Arc::new(decoded) }
    }

    /// By what right its handle is used from now on.
    pub(crate) fn right(&self) -> Right {
        Right::Entered(self.decoded.about.generation)
    }

    pub(crate) fn data(&self) -> &dyn AnyData {
        &*self.decoded.data
    }
}

/// A session's data as it was when it was read: `Deref` to the data, and what is known beside it.
pub struct Snapshot<T> {
    pub(crate) loaded: Loaded,
    data: PhantomData<fn() -> T>,
}

impl<T> Snapshot<T> {
    /// A session of this type.
    pub(crate) fn of(loaded: Loaded) -> Self {
        Self { loaded, data: PhantomData }
    }

    /// The session's name for logs and screens: a hash, of no use to a client.
    pub fn id(&self) -> Handle {
        self.loaded.known.key.handle()
    }

    /// When the session started.
    pub fn created_at(&self) -> SystemTime {
        self.loaded.decoded.about.created.into()
    }

    /// When the session ends however much it is used.
    pub fn expires_at(&self) -> SystemTime {
        self.loaded.expires.into()
    }

    /// How often the session's data has been written: 1 after its start.
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
        f.debug_struct("Snapshot").field("id", &self.id()).field("version", &self.version()).finish_non_exhaustive()
    }
}
