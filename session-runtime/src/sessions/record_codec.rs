//! Between a record and the data: what is read is not trusted, what is written keeps the type's rules.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::core::Core;
use super::rotation::Credential;
use super::schema::{BoxedData, ErasedData};
use super::snapshot::{Decoded, LoadedSession, TokenEntry};
use crate::backend::{Record, Touch};
use crate::codec;
use crate::crypto::Sealer;
use crate::error::Error;
use crate::id::{IdHash, RecordKey};
use crate::record::{Envelope, SessionMeta};
use crate::telemetry;

/// Data on its way into a record: the header and the payload behind it, not yet sealed.
pub(super) struct EncodedBody {
    envelope: Envelope,
    bytes: Vec<u8>,
    /// Where the payload begins, and where in it the data.
    payload: usize,
    data: usize,
}

impl EncodedBody {
    pub(super) fn json(&self) -> &[u8] {
        &self.bytes[self.data..]
    }

    pub(super) fn into_meta(self) -> SessionMeta {
        self.envelope.meta
    }
}

/// What a sealed record is bound to: its name in the store and its header.
fn bound_to(key: &RecordKey, header: &[u8]) -> Vec<u8> {
    [key.as_bytes(), header].concat()
}

/// A sealed body: its header, and the payload that is bound to it.
pub(super) fn sealed_with(sealer: &Sealer, key: &RecordKey, header: &[u8], payload: &[u8]) -> Result<Bytes, Error> {
    let sealed = sealer.seal(&bound_to(key, header), payload).ok_or(Error::Seal)?;
    Ok(Bytes::from([header, &sealed].concat()))
}

impl Core {
    /// A session from its record, decoded only if its bytes are new.
    pub(super) fn accept(&self, entry: &Arc<TokenEntry>, record: &Record, touch: Touch) -> Option<LoadedSession> {
        let credential = Credential::Presented(touch.now);
        let ends = self.ends(entry, record, touch.now);
        if let Some(decoded) = entry.decoded(&record.body) {
            self.check_record(entry, record, touch)?;
            self.check_id(entry, (&decoded.meta, decoded.id_hash), credential)?;
            return Some(LoadedSession {
                entry: Arc::clone(entry),
                version: record.version,
                expires: ends.expires,
                idle_expires: ends.idle_expires,
                decoded,
            });
        }
        let (envelope, payload) = self.check(entry, record, touch, credential)?;
        let decoded = self.decode(&entry.key, record, &envelope, payload)?;
        Some(LoadedSession::new(self, Arc::clone(entry), record.version, ends, decoded))
    }

    /// The same to own, for who changes it. A value that was decoded before and that nobody else looks at
    /// is as good as a fresh one.
    pub(super) fn read(
        &self,
        entry: &TokenEntry,
        record: &Record,
        touch: Touch,
        credential: Credential,
    ) -> Option<Decoded> {
        if let Some(decoded) = entry.take_decoded(&record.body) {
            self.check_record(entry, record, touch)?;
            self.check_id(entry, (&decoded.meta, decoded.id_hash), credential)?;
            return Some(decoded);
        }
        let (envelope, payload) = self.check(entry, record, touch, credential)?;
        self.decode(&entry.key, record, &envelope, payload)
    }

    /// Whether a verified token is one of a live session, without using that: for choosing between several.
    pub(crate) async fn is_live(&self, entry: &TokenEntry) -> Result<bool, Error> {
        let client = &self.0.client;
        let record = match &entry.carried {
            Some(record) => Some(Record::clone(record)),
            None => client.within(client.store.backend().peek(&entry.key)).await?,
        };
        let touch = self.touch(self.now(), &entry.claims);
        Ok(record.is_some_and(|record| self.check(entry, &record, touch, Credential::Presented(touch.now)).is_some()))
    }

    /// Whether this token may use the record. What is expired, no longer this id's or in an unknown format
    /// is no session, and is left alone.
    fn check(
        &self,
        entry: &TokenEntry,
        record: &Record,
        touch: Touch,
        credential: Credential,
    ) -> Option<(Envelope, usize)> {
        self.check_record(entry, record, touch)?;
        let Some((envelope, payload)) = Envelope::read(&record.body) else {
            telemetry::unreadable(self.session_type(), &entry.key, "format", ());
            return None;
        };
        self.check_id(entry, (&envelope.meta, envelope.id_hash), credential)?;
        Some((envelope, payload))
    }

    /// Whether the record is that of a live session, whoever asks.
    fn check_record(&self, entry: &TokenEntry, record: &Record, touch: Touch) -> Option<()> {
        let session_type = self.session_type();
        if !self.is_live_at(record, touch) {
            telemetry::expired(session_type, &entry.key);
            return None;
        }
        if record.version.checked_add(1).is_none() {
            // No session comes this far: it could not be written any more, as the next version would be the first again.
            telemetry::unreadable(session_type, &entry.key, "format", ());
            return None;
        }
        Some(())
    }

    /// Whether the session, with what is noted of it and its id in force, is that of this token.
    fn check_id(&self, entry: &TokenEntry, noted: (&SessionMeta, IdHash), credential: Credential) -> Option<()> {
        let opens = Self::opens(entry, noted, credential);
        if !opens && !entry.is_unsettled() {
            telemetry::replayed(self.session_type(), &entry.key);
        }
        opens.then_some(())
    }

    /// The data of a record that may be used.
    pub(super) fn decode(
        &self,
        key: &RecordKey,
        record: &Record,
        envelope: &Envelope,
        payload: usize,
    ) -> Option<Decoded> {
        self.try_decode(key, record, envelope, payload).ok()
    }

    /// The same, with the reason why it can't be used, which has been told.
    pub(super) fn try_decode(
        &self,
        key: &RecordKey,
        record: &Record,
        envelope: &Envelope,
        payload: usize,
    ) -> Result<Decoded, &'static str> {
        let unreadable = |reason, detail: &dyn fmt::Debug| {
            telemetry::unreadable(self.session_type(), key, reason, detail);
            reason
        };
        let Some((payload, retired_seal)) = self.unseal(key, &record.body, envelope.sealed, payload) else {
            return Err(unreadable("seal", &()));
        };
        let Some((label, data)) = Envelope::label(&payload) else {
            return Err(unreadable("format", &()));
        };
        let json = payload.slice(data..);
        let version = envelope.data_version;
        let data = match self.schema().read(version, &json) {
            Some(Ok(data)) => data,
            Some(Err(error)) => return Err(unreadable("data", &format_args!("{error}"))),
            None => return Err(unreadable("version", &version)),
        };
        if let Err(invalid) = data.validate() {
            let fields: Vec<&str> = invalid.fields().map(|(name, _)| name).collect();
            return Err(unreadable("invalid", &fields));
        }
        // Data of an older version is told to have changed by its own encoding, so that migrating alone
        // writes nothing.
        let json =
            if version == self.schema().version { json } else { Bytes::from(encoded(&*data).map_err(|_| "data")?) };
        let meta = SessionMeta { label, ..envelope.meta.clone() };
        Ok(Decoded { data, json, body: record.body.clone(), meta, id_hash: envelope.id_hash, retired_seal })
    }

    /// Whether records are sealed. What a token carries is encrypted with it, and is so under the newest key with each
    /// new token, read or written.
    fn seals(&self) -> bool {
        self.schema().encrypt && !self.0.carried
    }

    /// The payload, and whether a retired key sealed it.
    pub(super) fn unseal(&self, key: &RecordKey, body: &Bytes, sealed: bool, payload: usize) -> Option<(Bytes, bool)> {
        match (self.seals(), sealed) {
            (false, false) => Some((body.slice(payload..), false)),
            (true, true) => {
                let (header, sealed) = body.split_at_checked(payload)?;
                let (payload, retired) = self.0.sealer.open(&bound_to(key, header), sealed)?;
                Some((Bytes::from(payload), retired))
            }
            // A plain record where sealed ones are declared is not trusted, or sealing would mean nothing.
            _ => None,
        }
    }

    /// Checks and encodes data.
    pub(super) fn draft(
        &self,
        meta: SessionMeta,
        id_hash: IdHash,
        data: &dyn ErasedData,
        room: usize,
    ) -> Result<EncodedBody, Error> {
        data.validate().map_err(|invalid| Error::Invalid(invalid.discreet(self.schema().secrets)))?;
        let type_tag = (!self.0.carried).then_some(self.0.type_tag);
        let envelope = Envelope { meta, id_hash, data_version: self.schema().version, sealed: self.seals(), type_tag };
        let (mut bytes, payload) = envelope.write(room);
        let start = bytes.len();
        data.encode(&mut bytes).map_err(Error::Encode)?;
        Ok(EncodedBody { envelope, bytes, payload, data: start })
    }

    /// Reads data that was written, as every later request will: what JSON can write and not read, such as a number that
    /// is not finite, would log the person out. What is read takes the place of what was written, so that nobody sees
    /// what a handler did to fields that are not stored.
    ///
    /// With it comes its own encoding where that is another one: the members of a hash map, say, have another order.
    pub(super) fn read_back(&self, json: &[u8]) -> Result<(BoxedData, Option<Bytes>), Error> {
        let lost = |why: &str| {
            telemetry::not_read_back(self.session_type(), why);
            Error::ReadBack
        };
        let data = (self.schema().decode)(json).map_err(|error| lost(&error.to_string()))?;
        let mut again = Vec::with_capacity(json.len());
        data.encode(&mut again).map_err(Error::Encode)?;
        let same = again == json;
        if !same && !codec::same_but_for_order(json, &again) {
            return Err(lost("reads as other data"));
        }
        data.validate().map_err(|invalid| Error::Invalid(invalid.discreet(self.schema().secrets)))?;
        Ok((data, (!same).then(|| Bytes::from(again))))
    }

    /// Makes the body of a record.
    pub(super) fn finish(&self, key: &RecordKey, draft: EncodedBody) -> Result<Decoded, Error> {
        let EncodedBody { envelope, bytes, payload, data: start } = draft;
        let (data, again) = self.read_back(&bytes[start..])?;
        // A store may keep it for long: without what a growing buffer has too much.
        let plain = Bytes::from(bytes.into_boxed_slice());
        let json = again.unwrap_or_else(|| plain.slice(start..));
        let body = if envelope.sealed {
            sealed_with(&self.0.sealer, key, &plain[..payload], &plain[payload..])?
        } else {
            plain
        };
        Ok(Decoded { data, body, json, meta: envelope.meta, id_hash: envelope.id_hash, retired_seal: false })
    }

    /// Checks, encodes and seals data.
    pub(super) fn write(
        &self,
        key: &RecordKey,
        meta: SessionMeta,
        id_hash: IdHash,
        data: &dyn ErasedData,
        room: usize,
    ) -> Result<Decoded, Error> {
        let draft = self.draft(meta, id_hash, data, room)?;
        self.finish(key, draft)
    }
}

fn encoded(data: &dyn ErasedData) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = Vec::new();
    data.encode(&mut json)?;
    Ok(json)
}
