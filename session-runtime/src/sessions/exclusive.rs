//! Changing a session: lent exclusively to a handler, or in one go.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use session_rules::time::MAX_LIFETIME;
use tracing::Instrument as _;

use super::Privileges;
use super::core::{Core, none_of};
use super::owners::owner_of;
use super::rotation::{Credential, Rotation};
use super::schema::{BoxedData, ErasedData};
use super::settle::Attempt;
use super::snapshot::{Decoded, LoadedSession, TokenEntry};
use crate::backend::{Record, Touch};
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
    Leased(ExclusiveSession),
    Compared { record: Record, read: Decoded, touch: Touch, privileges: Privileges, owner: Option<Vec<u8>> },
}

impl Change {
    pub(crate) fn data(&mut self) -> &mut dyn ErasedData {
        match &mut self.0 {
            ChangeMode::Leased(exclusive) => &mut *exclusive.data,
            ChangeMode::Compared { read, .. } => &mut *read.data,
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
    ) -> Result<Option<ExclusiveSession>, Error> {
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
        Ok(Some(ExclusiveSession {
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
        }))
    }

    /// Begins to change a session in one go: under a lease where the store has them, else by comparing versions.
    pub(crate) fn begin_change<'a>(&'a self, session: &'a LoadedSession) -> BoxFuture<'a, Result<Change, Error>> {
        Box::pin(async move {
            if self.0.client.store.leases().is_some() {
                let acquired = self.acquire(&session.entry, session.credential(), None).await?;
                return Ok(Change(ChangeMode::Leased(acquired.ok_or(Error::Ended)?)));
            }
            let (record, read, touch) = self.reload(session).await?;
            let (privileges, owner) = (privileges(&*read.data)?, owner_of(&*read.data)?);
            Ok(Change(ChangeMode::Compared { record, read, touch, privileges, owner }))
        })
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
                ChangeMode::Compared { record, read, touch, privileges: before, owner } => {
                    self.stays_its_owners(&session.entry.key, owner.as_deref(), &*read.data)?;
                    let rotation = (privileges(&*read.data)? != before).then_some(Rotation::Explicit);
                    let mut following = self.follow(&session.entry, &record, read, rotation, touch.now)?;
                    let token = following.token.take();
                    let key = *following.key();
                    let written = self.replace(&key, record.version, following.record.clone(), touch).await;
                    let (entry, before, after) = (&session.entry, &record, &following.record);
                    let rotates = rotation.is_some();
                    self.settle(written, Attempt { entry, before, after, touch, rotates }).await?;
                    if let Some(rotation) = rotation {
                        self.replaced(&session.entry, rotation, touch.now);
                    }
                    Ok((following.into_snapshot(self), token))
                }
            }
        })
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
