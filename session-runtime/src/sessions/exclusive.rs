//! Changing a session: lent exclusively to a handler, or in one go.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use session_rules::time::MAX_LIFETIME;
use tracing::Instrument as _;

use super::Privileges;
use super::core::Core;
use super::load::none_of;
use super::owners::owner_of;
use super::rotation::{Credential, Rotation};
use super::schema::{BoxedData, ErasedData};
use super::settle::Attempt;
use super::snapshot::{Decoded, Ends, LoadedSession, TokenEntry};
use crate::backend::{Record, RecordKey, Touch, Written};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::IdHash;
use crate::lease::{HeldLease, LeaseTiming};
use crate::record::SessionMeta;
use crate::telemetry;

/// A session that is lent exclusively: the lease on it and the data to change.
pub(crate) struct ExclusiveSession {
    pub(super) held: HeldLease,
    pub(super) entry: Arc<TokenEntry>,
    pub(super) record: Record,
    pub(super) touch: Touch,
    pub(super) meta: SessionMeta,
    pub(super) id_hash: IdHash,
    /// The data as it was lent.
    pub(super) json: Bytes,
    /// Whether the record is to be sealed anew even if the data stays as it is.
    pub(super) retired_seal: bool,
    /// What its `privilege` fields were; empty for a type without any.
    pub(super) privileges: Privileges,
    /// Whose it was, for a type with owners.
    pub(super) owner: Option<Vec<u8>>,
    pub(super) borrowed: Borrowed,
    pub(crate) data: BoxedData,
}

/// What goes with a handler's borrow, and not with a change in one go.
pub(super) enum Borrowed {
    /// A change in one go, whose client may have its answer already.
    No,
    /// A handler's: its client can be told of a new id, and has read the flash that was there.
    Yes { flash: Option<BoxedData> },
}

impl ExclusiveSession {
    pub(crate) fn held(&self) -> &HeldLease {
        &self.held
    }

    pub(crate) fn entry(&self) -> &TokenEntry {
        &self.entry
    }

    /// What is noted of the session beside its data.
    pub(crate) fn meta(&self) -> &SessionMeta {
        &self.meta
    }
}

impl ExclusiveSession {
    /// Why the session gets another id with this save, if it does.
    pub(super) fn rotation(&self, sessions: &Core, now: Timestamp) -> Result<Option<Rotation>, Error> {
        if privileges(&*self.data)? != self.privileges {
            return Ok(Some(Rotation::Explicit));
        }
        let due = matches!(self.borrowed, Borrowed::Yes { .. })
            && sessions.is_due(&self.entry, &self.meta, self.id_hash, now);
        Ok(due.then_some(Rotation::Scheduled))
    }
}

/// What the `privilege` fields are.
fn privileges(data: &dyn ErasedData) -> Result<Privileges, Error> {
    data.privileges().map_err(Error::Encode)
}

/// A change in one go: the newest data, to be changed and then stored.
pub(crate) struct Change(ChangeMode);

enum ChangeMode {
    Leased(Box<ExclusiveSession>),
    Compared(Box<Comparison>),
}

/// A change that is stored if the session's version is still the one that it began with.
struct Comparison {
    record: Record,
    read: Decoded,
    touch: Touch,
    privileges: Privileges,
    owner: Option<Vec<u8>>,
    /// Whether the record is the newest, or the one that the request has loaded.
    is_fresh: bool,
}

impl Change {
    pub(crate) fn data(&mut self) -> &mut dyn ErasedData {
        match &mut self.0 {
            ChangeMode::Leased(exclusive) => &mut *exclusive.data,
            ChangeMode::Compared(comparison) => &mut *comparison.read.data,
        }
    }
}

impl Core {
    /// Takes the session exclusively: locked across the fleet, loaded, owned. `None`: no such session.
    pub(crate) async fn acquire(
        &self,
        entry: &Arc<TokenEntry>,
        credential: Credential,
        wait: Option<Duration>,
    ) -> Result<Option<Box<ExclusiveSession>>, Error> {
        let timing = LeaseTiming { wait: wait.unwrap_or(self.0.timing.wait).min(MAX_LIFETIME), ..self.0.timing };
        let touch = |now| self.touch(now, &entry.claims);
        let span = telemetry::acquire_span(self.session_type(), &entry.key);
        let acquired =
            HeldLease::acquire(&self.0.client, &self.0.queue, entry.key, timing, touch).instrument(span).await?;
        let Some((held, record, touch)) = acquired else {
            telemetry::absent(self.session_type(), &entry.key);
            return Ok(None);
        };
        let Some(read) = self.read(entry, &record, touch, credential) else { return none_of(entry) };
        telemetry::loaded(self.session_type(), &entry.key);
        if self.is_listing_due(entry, &record, touch.now) {
            Box::pin(self.keep_listed(entry.key, record.expires, &*read.data)).await;
        }
        let Decoded { data, body: _, json, meta, id_hash, retired_seal } = read;
        let (privileges, owner) = (privileges(&*data)?, owner_of(&*data)?);
        let (entry, borrowed) = (Arc::clone(entry), Borrowed::No);
        // Boxed once, as it moves from future to future.
        Ok(Some(Box::new(ExclusiveSession {
            held,
            entry,
            record,
            touch,
            meta,
            id_hash,
            json,
            retired_seal,
            privileges,
            owner,
            borrowed,
            data,
        })))
    }

    /// Begins to change a session in one go. The first try is made on the data that the request has loaded, where the
    /// store can tell whether it is still the newest and nobody holds the session. Later tries are made on the newest
    /// data, under a lease where the store has them.
    pub(crate) fn begin_change<'a>(
        &'a self,
        session: &'a LoadedSession,
        is_first: bool,
    ) -> BoxFuture<'a, Result<Change, Error>> {
        Box::pin(async move {
            let store = &self.0.client.store;
            let is_leased = store.leases().is_some();
            // Who queues for a lease here has come before.
            let compares = !is_leased || store.comparing().is_some() && self.0.queue.is_free(&session.entry.key);
            // What travels in its token is the newest that there is.
            let (record, read, touch, is_fresh) = if self.0.carried || is_first && compares {
                let touch = self.touch(self.now(), &session.entry.claims);
                if session.entry.carried.as_ref().is_some_and(|record| !self.is_live_at(record, touch)) {
                    return Err(Error::Ended);
                }
                let (record, read) = self.loaded_again(session, touch.now)?;
                (record, read, touch, false)
            } else if is_leased {
                let acquired = self.acquire(&session.entry, session.credential(), None).await?;
                return Ok(Change(ChangeMode::Leased(acquired.ok_or(Error::Ended)?)));
            } else {
                let (record, read, touch) = self.reload(session).await?;
                (record, read, touch, true)
            };
            let (privileges, owner) = (privileges(&*read.data)?, owner_of(&*read.data)?);
            let comparison = Comparison { record, read, touch, privileges, owner, is_fresh };
            Ok(Change(ChangeMode::Compared(Box::new(comparison))))
        })
    }

    /// The record that a request has loaded, with data of its own.
    fn loaded_again(&self, session: &LoadedSession, now: Timestamp) -> Result<(Record, Decoded), Error> {
        let Decoded { data: _, body, json, meta, retired_seal, id_hash } = &*session.decoded;
        let (body, json, meta) = (body.clone(), json.clone(), meta.clone());
        let record = Record { version: session.version, last_seen: now, expires: session.expires, body: body.clone() };
        let data = self.decode_again(session)?;
        Ok((record, Decoded { data, body, json, meta, retired_seal: *retired_seal, id_hash: *id_hash }))
    }

    /// Stores the change. The token is another one where a privilege changed, or where the record travels in it.
    pub(crate) fn finish_change<'a>(
        &'a self,
        session: &'a LoadedSession,
        change: Change,
    ) -> BoxFuture<'a, Result<(LoadedSession, Option<String>), Error>> {
        Box::pin(async move {
            match change.0 {
                ChangeMode::Leased(exclusive) => self.save(exclusive).await,
                ChangeMode::Compared(comparison) => self.finish_comparison(session, *comparison).await,
            }
        })
    }

    async fn finish_comparison(
        &self,
        session: &LoadedSession,
        comparison: Comparison,
    ) -> Result<(LoadedSession, Option<String>), Error> {
        let Comparison { record, read, touch, privileges: before, owner, is_fresh } = comparison;
        let entry = &session.entry;
        self.stays_its_owners(&entry.key, owner.as_deref(), &*read.data)?;
        let rotation = (privileges(&*read.data)? != before).then_some(Rotation::Explicit);
        let Decoded { data, body: _, json, meta, id_hash, retired_seal } = read;
        let (holder, meta, id_hash) = self.holder(entry, (meta, id_hash), rotation, record.expires, touch.now);
        let draft = self.draft(meta, id_hash, &*data, record.body.len())?;
        if !is_fresh && rotation.is_none() && !retired_seal && draft.json() == json {
            return self.unchanged(session, touch).await;
        }
        let decoded = self.finish(&entry.key, draft)?;
        let mut following = self.next_record(holder, &record, decoded, touch.now)?;
        let token = following.token.take();
        let written = self.compare_and_set(&entry.key, record.version, following.record.clone(), touch).await;
        let (before, after, rotates) = (&record, &following.record, rotation.is_some());
        self.settle(written, Attempt { entry, before, after, touch, rotates }).await?;
        if let Some(rotation) = rotation {
            self.replaced(entry, rotation, touch.now);
        }
        Ok((following.into_snapshot(self), token))
    }

    /// A change that changes nothing of what the request has loaded: nothing is written, if that is still the newest. The
    /// store is asked, and no cache before it.
    async fn unchanged(&self, session: &LoadedSession, touch: Touch) -> Result<(LoadedSession, Option<String>), Error> {
        let (entry, client) = (&session.entry, &self.0.client);
        let record = match &entry.carried {
            Some(record) => Some(Record::clone(record)),
            None => client.within(client.store.backend().peek(&entry.key)).await?,
        };
        let record = record.filter(|record| self.is_live_at(record, touch)).ok_or(Error::Ended)?;
        if record.version != session.version {
            return Err(Error::Conflict);
        }
        let Ends { expires, idle_expires } = self.ends(entry, &record, touch.now);
        Ok((LoadedSession { expires, idle_expires, ..session.clone() }, None))
    }

    /// Puts another record in the place of this version, if nobody has before and nobody holds the session.
    async fn compare_and_set(&self, key: &RecordKey, version: u64, next: Record, touch: Touch) -> Result<(), Error> {
        let client = &self.0.client;
        let Some(store) = client.store.comparing() else { return self.replace(key, version, next, touch).await };
        let _writing = client.writing(key);
        match client.within(store.compare_and_set(key, version, next, touch)).await? {
            Written::Done => Ok(()),
            Written::Conflict => Err(Error::Conflict),
            Written::Absent => Err(Error::Ended),
        }
    }

    /// The session as it is now, to change it; [`Error::Ended`] if there is none.
    pub(super) async fn reload(&self, session: &LoadedSession) -> Result<(Record, Decoded, Touch), Error> {
        let entry = &session.entry;
        let touch = self.touch(self.now(), &entry.claims);
        let record = self.fetch(entry, touch).await?.ok_or(Error::Ended)?;
        let read = self.read(entry, &record, touch, session.credential()).ok_or(Error::Ended)?;
        Ok((record, read, touch))
    }
}
