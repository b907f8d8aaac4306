//! Ending a session, and telling the type's `on_end` of those that end: what is read for it before they are gone.
//!
//! The telling is left out for a type without one: nothing is read, copied or decoded for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::future::{BoxFuture, join_all};
use tracing::Instrument as _;

use super::core::{Core, Inner};
use super::end_hook::EndReason;
use super::owners::owner_of;
use super::schema::BoxedData;
use super::snapshot::LoadedSession;
use crate::backend::{ListedRecord, Record, RecordKey};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::TypeTag;
use crate::lease::StoreClient;
use crate::record::{Envelope, SessionMeta};
use crate::telemetry;

/// A session as it is stored, without its type.
pub(super) struct Found {
    pub(super) key: RecordKey,
    pub(super) meta: SessionMeta,
    pub(super) last_seen: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) data: BoxedData,
}

/// The sessions of this process that have an `on_end`. Types share stores, so whoever sweeps one finds the sessions of
/// others, too.
static TOLD: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());
/// Whether there ever were any.
static ANY: AtomicBool = AtomicBool::new(false);

/// How many records are read before they are removed.
const BATCH: usize = 256;

/// Notes sessions whose type may have an `on_end`.
pub(super) fn note(core: &Core) {
    if core.0.end_hooks.is_some() {
        // Nothing can panic under the lock, so it is whole.
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|inner| inner.strong_count() > 0);
        told.push(Arc::downgrade(&core.0));
        ANY.store(true, Ordering::Release);
    }
}

/// Who is told of the end of this type's sessions: those who sweep, if they are of the type, else who opened it last.
fn told_of(tag: TypeTag, sweeper: &StoreClient) -> Option<Core> {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let all: Vec<_> = told.iter().filter_map(Weak::upgrade).filter(|inner| inner.type_tag == tag).collect();
    drop(told);
    let own = all.iter().find(|inner| std::ptr::eq(&*inner.client, sweeper));
    own.or(all.last()).map(|inner| Core(Arc::clone(inner), None))
}

/// Removes what has expired, and tells of it before; `None` if nobody is to be told, or the store can't say what it is.
///
/// The record goes last: of a process that dies in between, or a store that is down by then, the next sweep tells again.
pub(super) async fn sweep(client: &StoreClient) -> Result<Option<usize>, Error> {
    let Some(store) = client.store.sweeping().filter(|_| ANY.load(Ordering::Acquire)) else { return Ok(None) };
    let mut swept = 0;
    loop {
        let now = client.now();
        let Some(expired) = client.within(store.expired(now, BATCH)).await? else { return Ok(None) };
        if expired.is_empty() {
            return Ok(Some(swept));
        }
        join_all(expired.iter().map(|listed| tell_expired(client, listed))).await;
        let keys: Vec<RecordKey> = expired.iter().map(|listed| listed.key).collect();
        let removed = client.within(store.forget(now, &keys)).await?;
        swept += removed;
        if removed == 0 {
            // Somebody else has removed them, or they can't be removed: the next sweep looks again.
            return Ok(Some(swept));
        }
        tokio::task::yield_now().await;
    }
}

async fn tell_expired(client: &StoreClient, ListedRecord { key, record }: &ListedRecord) {
    let Some(record) = record else { return };
    let tag = Envelope::read(&record.body).and_then(|(envelope, _)| envelope.type_tag);
    let Some(core) = tag.and_then(|tag| told_of(tag, client)) else { return };
    if let (Some(hooks), Some(found)) = (&core.0.end_hooks, core.last_state(key, record)) {
        hooks.tell_in_turn(core.session_type(), found, EndReason::Expired).await;
    }
}

impl Core {
    /// Ends a session with its own request.
    pub(crate) fn log_out<'a>(&'a self, session: &'a LoadedSession) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.delete_now(session, Some(EndReason::Logout)))
    }

    /// Ends a session. One that nobody ever had ends for no reason.
    pub(super) async fn delete_now(&self, session: &LoadedSession, reason: Option<EndReason>) -> Result<(), Error> {
        let (client, entry) = (&self.0.client, &session.entry);
        let span = telemetry::end_span(self.session_type(), &entry.key);
        let _writing = client.writing(&entry.key);
        let delete = || client.within(client.store.backend().delete(&entry.key));
        let ended = match delete().instrument(span).await {
            // It may have been done. To do it again makes no difference, and its answer says what is.
            Err(Error::Unavailable(_)) => delete().await.map(|_| true).map_err(Error::unconfirmed)?,
            // What its token carries is nowhere else: it ends for this client.
            answer => answer? || self.0.carried,
        };
        entry.forget();
        telemetry::ended(self.session_type(), &entry.key);
        if let Ok(Some(owner)) = owner_of(&*session.decoded.data) {
            self.index(&owner).strike(&[entry.key]).await;
        }
        if ended && let Some(reason) = reason {
            self.tell_ended(session, reason);
        }
        Ok(())
    }

    /// Tells of a session that was ended with its own request.
    pub(super) fn tell_ended(&self, session: &LoadedSession, reason: EndReason) {
        let Some(hooks) = &self.0.end_hooks else { return };
        // What was encoded from data can be read as data.
        let Ok(data) = self.decode_again(session) else { return };
        let (key, meta) = (session.entry.key, session.decoded.meta.clone());
        let found = Found { key, meta, last_seen: self.now(), expires: session.expires, data };
        hooks.tell(self.session_type(), found, reason);
    }

    /// Tells of a session that was removed, by its last record.
    pub(super) fn tell_removed(&self, key: &RecordKey, record: &Record, reason: EndReason) {
        if let Some(hooks) = &self.0.end_hooks
            && let Some(found) = self.last_state(key, record)
        {
            hooks.tell(self.session_type(), found, reason);
        }
    }

    /// Tells of a session that was listed and then ended.
    pub(super) fn tell_found(&self, found: Found, reason: EndReason) {
        if let Some(hooks) = &self.0.end_hooks {
            hooks.tell(self.session_type(), found, reason);
        }
    }

    /// `None` for a record that can't be read, of which an event tells.
    fn last_state(&self, key: &RecordKey, record: &Record) -> Option<Found> {
        let (envelope, payload) = Envelope::read(&record.body)?;
        let decoded = self.decode(key, record, &envelope, payload)?;
        let (last_seen, expires) = (record.last_seen, record.expires);
        Some(Found { key: *key, meta: decoded.meta, last_seen, expires, data: decoded.data })
    }
}
