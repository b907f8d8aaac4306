//! The note of a session's device, written beside whatever else happens to the session.
//!
//! It is in the header of the record, so the data is neither decoded nor looked at. Where the store has leases the note is
//! written under one: a handler that has the session exclusively would lose its change to it otherwise.

use std::time::Duration;

use bytes::Bytes;

use super::core::{Core, MAX_RETRIES};
use super::record_codec::sealed_with;
use crate::backend::{Record, RecordKey, Touch};
use crate::error::Error;
use crate::lease::{HeldLease, LeaseTiming};
use crate::record::{DeviceNote, Envelope, SessionMeta};

/// What is to become of a note, and what is answered then.
pub(super) enum Change<A> {
    /// It stays.
    Keep(A),
    /// This one takes its place, or nothing is answered.
    Write(DeviceNote, A),
    /// This one takes its place, unless others have the session exclusively all the time.
    Note(DeviceNote, A),
}

impl Core {
    /// Changes the note of a live session. `None`: there is no such session. Its idle timeout does not slide.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down, [`Error::Busy`] if others have the session exclusively all the time.
    pub(super) async fn note_device<A>(
        &self,
        key: &RecordKey,
        wait: Duration,
        change: impl Fn(&Envelope) -> Change<A>,
    ) -> Result<Option<A>, Error> {
        let client = &self.0.client;
        for _ in 0..MAX_RETRIES {
            let record = client.within(client.store.backend().peek(key)).await?;
            let Some((record, envelope, payload, touch)) = record.and_then(|record| self.live(record)) else {
                return Ok(None);
            };
            let (note, answer, needed) = match change(&envelope) {
                Change::Keep(answer) => return Ok(Some(answer)),
                Change::Write(note, answer) => (note, answer, true),
                Change::Note(note, answer) => (note, answer, false),
            };
            let Some(body) = self.noted(key, &record.body, envelope, payload, note)? else { return Ok(None) };
            match self.put(key, &record, body, touch, wait).await {
                Ok(()) => return Ok(Some(answer)),
                Err(Error::Conflict | Error::LeaseLost) => {}
                Err(Error::Ended) => return Ok(None),
                Err(Error::Busy) if !needed => return Ok(Some(answer)),
                Err(error) => return Err(error),
            }
        }
        Err(Error::Busy)
    }

    /// A record that is alive, with what its header says.
    fn live(&self, record: Record) -> Option<(Record, Envelope, usize, Touch)> {
        let (envelope, payload) = Envelope::read(&record.body)?;
        let touch = Touch { now: self.now(), idle: self.idle(envelope.meta.idle), expires: record.expires };
        let usable = self.is_live_at(&record, touch) && record.version.checked_add(1).is_some();
        usable.then_some((record, envelope, payload, touch))
    }

    /// The body with this note in its header. `None` if it can't be read.
    fn noted(
        &self,
        key: &RecordKey,
        body: &Bytes,
        envelope: Envelope,
        payload: usize,
        note: DeviceNote,
    ) -> Result<Option<Bytes>, Error> {
        let Some((payload, _)) = self.unseal(key, body, envelope.sealed, payload) else { return Ok(None) };
        let meta = SessionMeta { device: Some(note), ..envelope.meta };
        let envelope = Envelope { meta, ..envelope };
        let header = envelope.write_header(payload.len());
        if envelope.sealed {
            return sealed_with(&self.0.sealer, key, &header, &payload).map(Some);
        }
        Ok(Some(Bytes::from([&header[..], &payload].concat())))
    }

    /// Stores it in the place of this version.
    async fn put(
        &self,
        key: &RecordKey,
        record: &Record,
        body: Bytes,
        touch: Touch,
        wait: Duration,
    ) -> Result<(), Error> {
        let next =
            |last: &Record| Record { version: last.version.saturating_add(1), body: body.clone(), ..last.clone() };
        if self.0.client.store.leases().is_none() {
            return self.replace(key, record.version, next(record), touch).await;
        }
        let timing = LeaseTiming { wait, ..self.0.timing };
        let touched = |now| Touch { now, ..touch };
        let acquired = HeldLease::acquire(&self.0.client, &self.0.queue, *key, timing, touched).await?;
        let Some((held, last, touch)) = acquired else { return Err(Error::Ended) };
        if last.version != record.version {
            held.release().await?;
            return Err(Error::Conflict);
        }
        // With its last use as it was before the lease was taken, which noted one.
        held.save(last.version, next(&last), touch).await
    }
}
