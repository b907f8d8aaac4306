//! Ending a session, and telling the type's `on_end` of those that end: what is read for it before they are gone.
//!
//! The telling is left out for a type without one: nothing is read, copied or decoded for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tracing::Instrument as _;

use super::core::{Core, Inner};
use super::end_hook::EndReason;
use super::owners::owner_of;
use super::schema::BoxedData;
use super::snapshot::LoadedSession;
use crate::backend::{ListedRecord, Record, RecordKey, Store};
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

/// How many records are read before they are removed. Few, so that they are removed soon after their calls: until then
/// another process that sweeps the store may tell of them, too.
const BATCH: usize = 64;

/// After this time a session of a type that is open on several other stores counts as one of theirs.
const UNCLAIMED: Duration = Duration::from_secs(3600);

/// Who sweeps which store of this process, by the store's address. Two at once would tell of the same sessions.
static SWEEPS: Mutex<Vec<(usize, Weak<tokio::sync::Mutex<()>>)>> = Mutex::new(Vec::new());

/// What whoever sweeps a store holds meanwhile.
fn turn_at(store: &Store) -> Arc<tokio::sync::Mutex<()>> {
    let mut sweeps = SWEEPS.lock().unwrap_or_else(PoisonError::into_inner);
    sweeps.retain(|(_, turn)| turn.strong_count() > 0);
    let known = sweeps.iter().find(|(address, _)| *address == store.address()).and_then(|(_, turn)| turn.upgrade());
    known.unwrap_or_else(|| {
        let turn = Arc::default();
        sweeps.push((store.address(), Arc::downgrade(&turn)));
        turn
    })
}

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

/// Who may be told of the end of this type's sessions: those who sweep, if they are of the type, else those who are open on
/// the same store, else all.
fn told_of(tag: TypeTag, sweeper: &StoreClient) -> Vec<Core> {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let all: Vec<_> = told.iter().filter_map(Weak::upgrade).filter(|inner| inner.type_tag == tag).collect();
    drop(told);
    let own = all.iter().find(|inner| std::ptr::eq(&*inner.client, sweeper));
    let here = || all.iter().find(|inner| inner.client.store.address() == sweeper.store.address());
    match own.or_else(here) {
        Some(inner) => vec![Core(Arc::clone(inner), None)],
        None => all.into_iter().map(|inner| Core(inner, None)).collect(),
    }
}

/// Removes what has expired, and tells of it before; `None` if nobody is to be told, or the store can't say what it is.
///
/// The record goes last: of a process that dies in between, or a store that is down by then, the next sweep tells again.
pub(super) async fn sweep(client: &StoreClient) -> Result<Option<usize>, Error> {
    let Some(store) = client.store.sweeping().filter(|_| ANY.load(Ordering::Acquire)) else { return Ok(None) };
    let turn = turn_at(&client.store);
    let _turn = turn.lock().await;
    let mut swept = 0;
    loop {
        let now = client.now();
        let Some(expired) = client.within(store.expired(now, BATCH)).await? else { return Ok(None) };
        if expired.is_empty() {
            return Ok(Some(swept));
        }
        let done = join_all(expired.iter().map(|listed| tell_expired(client, listed, now))).await;
        let keys: Vec<RecordKey> = expired.iter().zip(done).filter(|(_, done)| *done).map(|(one, _)| one.key).collect();
        // Asked for none as well: a store may note that it is being swept.
        let removed = client.within(store.forget(now, &keys)).await?;
        swept += removed;
        if removed == 0 {
            // Somebody else has removed them, or they can't be removed: the next sweep looks again.
            return Ok(Some(swept));
        }
        tokio::task::yield_now().await;
    }
}

/// Tells of a session that has expired; `false` if it is left to others, who know whom to tell.
async fn tell_expired(client: &StoreClient, ListedRecord { key, record }: &ListedRecord, now: Timestamp) -> bool {
    let Some(record) = record else { return true };
    let Some((envelope, _)) = Envelope::read(&record.body) else { return true };
    let told = envelope.type_tag.map(|tag| told_of(tag, client)).unwrap_or_default();
    let Some(core) = told.last() else { return true };
    if told.len() > 1 {
        let expired = record.last_seen.plus(core.idle(envelope.meta.idle)).min(record.expires);
        if now < expired.plus(UNCLAIMED) {
            return false;
        }
    }
    if let (Some(hooks), Some(found)) = (&core.0.end_hooks, core.last_state(key, record)) {
        hooks.tell_in_turn(core.session_type(), found, EndReason::Expired).await;
    }
    true
}

/// Removes a session's record; `false` if there was none.
///
/// A removal that was not answered may have been done. To do it again makes no difference, and shows that the session is
/// gone.
pub(super) async fn remove(client: &StoreClient, key: &RecordKey) -> Result<bool, Error> {
    let delete = || client.within(client.store.backend().delete(key));
    let _writing = client.writing(key);
    match delete().await {
        Err(Error::Unavailable(_)) => delete().await.map(|_| true).map_err(Error::unconfirmed),
        answer => answer,
    }
}

impl Core {
    /// Ends a session with its own request.
    pub(crate) fn log_out<'a>(&'a self, session: &'a LoadedSession) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.delete_now(session, Some(EndReason::Logout)))
    }

    /// Ends a session. One that nobody ever had ends for no reason.
    pub(super) async fn delete_now(&self, session: &LoadedSession, reason: Option<EndReason>) -> Result<(), Error> {
        let entry = &session.entry;
        let last = if reason.is_some() { self.last_record(&entry.key).await } else { None };
        let span = telemetry::end_span(self.session_type(), &entry.key);
        // What its token carries is nowhere else: it ends for this client.
        let ended = remove(&self.0.client, &entry.key).instrument(span).await? || self.0.carried;
        entry.forget();
        telemetry::ended(self.session_type(), &entry.key);
        // Before anything else is waited for: a client that leaves takes the rest of its request with it.
        if ended && let Some(reason) = reason {
            self.tell_ended(session, last.as_ref(), reason);
        }
        if let Ok(Some(owner)) = owner_of(&*session.decoded.data) {
            self.index(&owner).strike(&[entry.key]).await;
        }
        Ok(())
    }

    /// A session's record before it is removed, where somebody is to be told of it.
    async fn last_record(&self, key: &RecordKey) -> Option<Record> {
        if self.0.end_hooks.is_none() || self.0.carried {
            return None;
        }
        let client = &self.0.client;
        // A failure is logged where the deadline is kept, and what the request has loaded is told.
        client.within(client.store.backend().peek(key)).await.ok().flatten()
    }

    /// Tells of a session that was ended with its own request, by its last record or else as the request has loaded it.
    fn tell_ended(&self, session: &LoadedSession, last: Option<&Record>, reason: EndReason) {
        let Some(hooks) = &self.0.end_hooks else { return };
        let key = session.entry.key;
        let last = last.and_then(|record| self.last_state(&key, record));
        // What was encoded from data can be read as data.
        let loaded = || {
            let (meta, data) = (session.decoded.meta.clone(), self.decode_again(session).ok()?);
            Some(Found { key, meta, last_seen: self.now(), expires: session.expires, data })
        };
        if let Some(found) = last.or_else(loaded) {
            hooks.tell(self.session_type(), Found { last_seen: self.now(), ..found }, reason);
        }
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
