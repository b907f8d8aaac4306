//! Ids that change while their session lives: for a reason, or on a schedule.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tracing::Instrument as _;

use super::core::{Core, MAX_RETRIES, next};
use super::schema::BoxedData;
use super::settle::Attempt;
use super::snapshot::{Decoded, LoadedSession, TokenEntry};
use crate::backend::{Record, RecordKey, Touch, Written};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::IdHash;
use crate::lease::{HeldLease, LeaseTiming};
use crate::record::{Envelope, SessionMeta};
use crate::telemetry;
use crate::token::Claims;

/// How long after a scheduled rotation the previous id may still be presented: long enough for the requests of one
/// page, which are on their way with it.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Why a session gets another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// Somebody asked for it, or what the session may do has changed: the previous id is dead at once.
    Explicit,
    /// The same, and the person has just proved who they are.
    Reauthenticated,
    /// The id has been in use for as long as `rotate_every` says: the previous one has a grace.
    Scheduled,
}

/// By what right a record is used.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Credential {
    /// A token that was presented at this moment.
    Presented(Timestamp),
    /// A session that was entered before, at this generation: scheduled rotations don't take it away.
    Established(u32),
}

/// A session's record on its way to the store, and the token that goes with it if that is another one.
pub(super) struct NextRecord {
    entry: Arc<TokenEntry>,
    pub(super) token: Option<String>,
    pub(super) record: Record,
    decoded: Decoded,
}

impl NextRecord {
    /// The session once the record is stored.
    pub(super) fn into_snapshot(self, sessions: &Core) -> LoadedSession {
        let ends = sessions.ends(&self.entry, &self.record, self.record.last_seen);
        LoadedSession::new(sessions, self.entry, self.record.version, ends, self.decoded)
    }

    pub(super) fn key(&self) -> &RecordKey {
        &self.entry.key
    }
}

/// Who uses a record that is about to be written: the id that did before, or another one.
pub(super) enum IdHolder {
    Same(Arc<TokenEntry>),
    Another(Box<TokenEntry>),
}

impl IdHolder {
    fn entry(&self) -> &TokenEntry {
        match self {
            Self::Same(entry) => entry,
            Self::Another(entry) => entry,
        }
    }
}

impl SessionMeta {
    /// What is noted of a session that is rotated now; `id_hash` is the one that its record held until now.
    fn rotated(self, rotation: Rotation, id_hash: IdHash, now: Timestamp) -> Self {
        let reasoned = rotation != Rotation::Scheduled;
        Self {
            authenticated_at: if rotation == Rotation::Reauthenticated { now } else { self.authenticated_at },
            rotated: now,
            generation: self.generation.wrapping_add(u32::from(reasoned)),
            previous_id_hash: (!reasoned).then_some(id_hash),
            ..self
        }
    }
}

impl Core {
    /// Whether a token may use the record: it is the one in force, or was a moment ago.
    pub(super) fn opens(entry: &TokenEntry, (meta, id_hash): (&SessionMeta, IdHash), credential: Credential) -> bool {
        match credential {
            Credential::Established(generation) => meta.generation == generation,
            Credential::Presented(_) if id_hash == entry.id_hash => true,
            Credential::Presented(moment) if meta.previous_id_hash == Some(entry.id_hash) => {
                moment < meta.rotated.plus(GRACE)
            }
            // The token is not revoked: what is stored may be damaged and whole again later, and a rotation of which no
            // client could be told may be taken back.
            Credential::Presented(_) => false,
        }
    }

    /// Whether the id has been in use for as long as `rotate_every` says, and this token is of that id.
    pub(super) fn is_due(&self, entry: &TokenEntry, meta: &SessionMeta, id_hash: IdHash, now: Timestamp) -> bool {
        self.0.rotate_every.is_some_and(|every| now.since(meta.rotated) >= every) && id_hash == entry.id_hash
    }

    /// Who uses the record that is written next, what is noted of it, and the proof that it holds.
    pub(super) fn holder(
        &self,
        entry: &Arc<TokenEntry>,
        (meta, id_hash): (SessionMeta, IdHash),
        rotation: Option<Rotation>,
        expires: Timestamp,
        now: Timestamp,
    ) -> (IdHolder, SessionMeta, IdHash) {
        let Some(rotation) = rotation else {
            let holder = if self.0.carried {
                IdHolder::Another(Box::new(entry.with_new_token(now)))
            } else {
                IdHolder::Same(Arc::clone(entry))
            };
            return (holder, meta, id_hash);
        };
        let claims =
            Claims { id: entry.claims.id.rotated(), issued: now, expires, idle: entry.claims.idle, retired_key: false };
        let another = Box::new(TokenEntry::new(claims, &self.0.record_names));
        let held = another.id_hash;
        (IdHolder::Another(another), meta.rotated(rotation, id_hash, now), held)
    }

    /// The record that follows this one.
    pub(super) fn next_record(
        &self,
        holder: IdHolder,
        record: &Record,
        decoded: Decoded,
        now: Timestamp,
    ) -> Result<NextRecord, Error> {
        let record = next(record, now, &decoded);
        let (entry, token) = match holder {
            IdHolder::Same(entry) => (entry, None),
            IdHolder::Another(entry) => {
                let (entry, token) = self.tokenize(*entry, &record, now)?;
                (entry, Some(token))
            }
        };
        Ok(NextRecord { entry, token, record, decoded })
    }

    /// The same from data that is always written.
    pub(super) fn follow(
        &self,
        entry: &Arc<TokenEntry>,
        record: &Record,
        read: Decoded,
        rotation: Option<Rotation>,
        now: Timestamp,
    ) -> Result<NextRecord, Error> {
        let (holder, meta, id_hash) = self.holder(entry, (read.meta, read.id_hash), rotation, record.expires, now);
        let decoded = self.write(&holder.entry().key, meta, id_hash, &*read.data, record.body.len())?;
        self.next_record(holder, record, decoded, now)
    }

    /// Whether a token of this id would be accepted now and is not about to be replaced: its session lives, and the id is
    /// the one in force. A store that can't be asked has ended nothing.
    pub(crate) async fn is_in_force(&self, entry: &TokenEntry) -> bool {
        if self.0.carried {
            return true;
        }
        let client = &self.0.client;
        match client.quietly(client.store.backend().peek(&entry.key)).await {
            Ok(Some(record)) => {
                let touch = self.touch(self.now(), &entry.claims);
                let held = Envelope::read(&record.body).map(|(envelope, _)| envelope.id_hash);
                held == Some(entry.id_hash) && self.is_live_at(&record, touch)
            }
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// What became of the id that a rotation has replaced.
    pub(super) fn replaced(&self, entry: &TokenEntry, rotation: Rotation, now: Timestamp) {
        match rotation {
            Rotation::Scheduled => entry.revoke_at(now.plus(GRACE)),
            Rotation::Explicit | Rotation::Reauthenticated => entry.revoke(),
        }
        telemetry::rotated(self.session_type(), &entry.key);
    }

    /// Gives the session another id: its record holds the new proof, and the old token is dead.
    pub(crate) fn rotate<'a>(
        &'a self,
        session: &'a LoadedSession,
        rotation: Rotation,
    ) -> BoxFuture<'a, Result<(LoadedSession, String), Error>> {
        let span = telemetry::rotate_span(self.session_type(), &session.entry.key);
        Box::pin(self.rotate_now(session, rotation).instrument(span))
    }

    async fn rotate_now(&self, session: &LoadedSession, rotation: Rotation) -> Result<(LoadedSession, String), Error> {
        for _ in 0..MAX_RETRIES {
            let (record, read, touch) = self.reload(session).await?;
            let mut following = self.follow(&session.entry, &record, read, Some(rotation), touch.now)?;
            let token = following.token.take().unwrap_or_default();
            let written = self.replace(following.key(), record.version, following.record.clone(), touch).await;
            let (entry, before, after) = (&session.entry, &record, &following.record);
            match self.settle(written, Attempt { entry, before, after, touch, rotates: true }).await {
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.replaced(&session.entry, rotation, touch.now);
                    return Ok((following.into_snapshot(self), token));
                }
            }
        }
        Err(Error::Conflict)
    }

    /// Puts another record in the place of this version, if nobody has before.
    pub(super) async fn replace(&self, key: &RecordKey, version: u64, next: Record, touch: Touch) -> Result<(), Error> {
        if self.0.carried {
            return Ok(());
        }
        let client = &self.0.client;
        let _writing = client.writing(key);
        match client.within(client.store.backend().update(key, version, next, touch)).await? {
            Written::Done => Ok(()),
            Written::Conflict => Err(Error::Conflict),
            Written::Absent => Err(Error::Ended),
        }
    }

    /// Whether the handler's borrow reads a flash, and whether a scheduled rotation is due: what entering a session
    /// may bring with it.
    pub(crate) fn pending(&self, session: &LoadedSession, reads: bool) -> Option<Pending> {
        let flash = reads && session.data().has_flash();
        let Decoded { meta, id_hash, .. } = &*session.decoded;
        let due = self.0.rotate_every.is_some() && self.is_due(&session.entry, meta, *id_hash, self.now());
        (flash || due).then_some(Pending { flash, due })
    }

    /// Settles it in one conditional write. What is returned is the session as the handler sees it, and the client's
    /// new token.
    ///
    /// Nobody is kept waiting or disturbed: where somebody has the session exclusively, or has written since it was
    /// loaded, the rotation is left to a later request and the flash to whoever came first.
    pub(crate) async fn apply(
        &self,
        session: &LoadedSession,
        pending: Pending,
    ) -> Result<(LoadedSession, Option<String>), Error> {
        match self.hold(session).await? {
            Some(hold) => self.apply_holding(session, pending, hold).await,
            None => Ok((self.without_flash(session, pending)?, None)),
        }
    }

    async fn apply_holding(
        &self,
        session: &LoadedSession,
        pending: Pending,
        hold: WriteCondition,
    ) -> Result<(LoadedSession, Option<String>), Error> {
        let LoadedSession { entry, version, expires, idle_expires: _, decoded } = session;
        let now = self.now();
        let rotation = pending.due.then_some(Rotation::Scheduled);
        let (holder, meta, id_hash) =
            self.holder(entry, (decoded.meta.clone(), decoded.id_hash), rotation, *expires, now);
        let rest = self.rest(session, pending)?;
        let stored = self.write(&holder.entry().key, meta, id_hash, &*rest, decoded.body.len())?;
        let last = Record { version: *version, last_seen: now, expires: *expires, body: decoded.body.clone() };
        let NextRecord { entry: holder, token, record, decoded: stored } =
            self.next_record(holder, &last, stored, now)?;
        let (touch, next) = (self.touch(now, &entry.claims), record.clone());
        let written = match hold {
            WriteCondition::Lease(held) => held.save(*version, next, touch).await,
            WriteCondition::Version => self.replace(&entry.key, *version, next, touch).await,
        };
        let attempt = Attempt { entry, before: &last, after: &record, touch, rotates: pending.due };
        match self.settle(written, attempt).await {
            Ok(()) => {}
            Err(Error::Conflict | Error::LeaseLost | Error::Ended) => {
                return Ok((self.without_flash(session, pending)?, None));
            }
            Err(error) => return Err(error),
        }
        if let Some(rotation) = rotation {
            self.replaced(entry, rotation, now);
        }
        let ends = self.ends(&holder, &record, now);
        if !pending.flash {
            return Ok((LoadedSession::new(self, holder, record.version, ends, stored), token));
        }
        let read = Decoded { data: self.decode_again(session)?, ..stored };
        Ok((LoadedSession::unshared(holder, record.version, ends, read), token))
    }

    /// The session for a handler that somebody came before: its flash is theirs.
    pub(super) fn without_flash(&self, session: &LoadedSession, pending: Pending) -> Result<LoadedSession, Error> {
        if !pending.flash {
            return Ok(session.clone());
        }
        let LoadedSession { entry, version, expires: _, idle_expires: _, decoded } = session;
        let data = self.rest(session, pending)?;
        let (body, json) = (decoded.body.clone(), decoded.json.clone());
        let (meta, id_hash, retired_seal) = (decoded.meta.clone(), decoded.id_hash, decoded.retired_seal);
        let seen = Decoded { data, body, json, meta, id_hash, retired_seal };
        Ok(LoadedSession::unshared(Arc::clone(entry), *version, session.ends(), seen))
    }

    /// The data once its flash is taken.
    fn rest(&self, session: &LoadedSession, pending: Pending) -> Result<BoxedData, Error> {
        let mut data = self.decode_again(session)?;
        if pending.flash {
            data.clear_flash();
        }
        Ok(data)
    }

    /// The data a second time: what was encoded from it can be read.
    pub(super) fn decode_again(&self, session: &LoadedSession) -> Result<BoxedData, Error> {
        (self.schema().decode)(&session.decoded.json).map_err(|error| Error::Encode(error.into()))
    }

    /// What a write of a session that was loaded needs: its lease, where the store has them. `None` where somebody
    /// else has it, or has written since.
    async fn hold(&self, session: &LoadedSession) -> Result<Option<WriteCondition>, Error> {
        if self.0.client.store.leases().is_none() {
            return Ok(Some(WriteCondition::Version));
        }
        let timing = LeaseTiming { wait: Duration::ZERO, ..self.0.timing };
        let touch = |now| self.touch(now, &session.entry.claims);
        match HeldLease::acquire(&self.0.client, &self.0.queue, session.entry.key, timing, touch).await {
            Ok(Some((held, record, _))) if record.version == session.version => {
                Ok(Some(WriteCondition::Lease(Box::new(held))))
            }
            Ok(_) | Err(Error::Busy) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What entering a session has to settle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    /// There is a flash to take.
    pub(super) flash: bool,
    /// A scheduled rotation is due.
    pub(super) due: bool,
}

/// What a write that doesn't wait holds on to.
enum WriteCondition {
    Lease(Box<HeldLease>),
    Version,
}
