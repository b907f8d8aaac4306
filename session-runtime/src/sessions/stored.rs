//! Between a record and the data: what is read is not trusted, what is written keeps the type's rules.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::core::Core;
use super::renewal::Right;
use super::schema::{AnyData, Data};
use super::snapshot::{Decoded, Known, Loaded};
use crate::backend::{Record, Touch};
use crate::error::Error;
use crate::id::{Key, Proof};
use crate::record::{About, Envelope};
use crate::telemetry;

/// Data on its way into a record: the header and the payload behind it, not yet sealed.
pub(super) struct Draft {
    envelope: Envelope,
    bytes: Vec<u8>,
    /// Where the payload begins, and where in it the data.
    payload: usize,
    data: usize,
}

impl Draft {
    pub(super) fn json(&self) -> &[u8] {
        &self.bytes[self.data..]
    }

    pub(super) fn into_about(self) -> About {
        self.envelope.about
    }
}

/// What a sealed record is bound to: its name in the store and its header.
fn bound_to(key: &Key, header: &[u8]) -> Vec<u8> {
    [key.as_bytes(), header].concat()
}

impl Core {
    /// A session from its record, decoded only if its bytes are new.
    pub(super) fn accept(&self, known: &Arc<Known>, record: &Record, touch: Touch) -> Option<Loaded> {
        let (envelope, payload) = self.check(known, record, touch, Right::Presented(touch.now))?;
        if let Some(decoded) = known.decoded(&record.body) {
            return Some(Loaded {
                known: Arc::clone(known),
                version: record.version,
                expires: record.expires,
                decoded,
            });
        }
        let decoded = self.decode(&known.key, record, &envelope, payload)?;
        Some(Loaded::new(Arc::clone(known), record.version, record.expires, decoded))
    }

    /// The same to own, for who changes it. A value that was decoded before and that nobody else looks at
    /// is as good as a fresh one.
    pub(super) fn read(&self, known: &Known, record: &Record, touch: Touch, right: Right) -> Option<Decoded> {
        let (envelope, payload) = self.check(known, record, touch, right)?;
        known.take_decoded(&record.body).or_else(|| self.decode(&known.key, record, &envelope, payload))
    }

    /// Whether this token may use the record. What is expired, no longer this id's or in an unknown format
    /// is no session, and is left alone.
    fn check(&self, known: &Known, record: &Record, touch: Touch, right: Right) -> Option<(Envelope, usize)> {
        let session_type = self.session_type();
        if !touch.is_live(record, self.0.slack) {
            telemetry::expired(session_type, &known.key);
            return None;
        }
        let Some((envelope, payload)) = Envelope::read(&record.body) else {
            telemetry::unreadable(session_type, &known.key, "format", ());
            return None;
        };
        if !Self::opens(known, &envelope, right) {
            telemetry::replayed(session_type, &known.key);
            return None;
        }
        Some((envelope, payload))
    }

    /// The data of a record that may be used.
    pub(super) fn decode(&self, key: &Key, record: &Record, envelope: &Envelope, payload: usize) -> Option<Decoded> {
        let unreadable = |reason, detail: &dyn fmt::Debug| {
            telemetry::unreadable(self.session_type(), key, reason, detail);
        };
        let Some((payload, retired_seal)) = self.unseal(key, &record.body, envelope.sealed, payload) else {
            unreadable("seal", &());
            return None;
        };
        let Some((label, data)) = Envelope::label(&payload) else {
            unreadable("format", &());
            return None;
        };
        let json = payload.slice(data..);
        let version = envelope.data_version;
        let data = match self.schema().read(version, &json) {
            Some(Ok(data)) => data,
            Some(Err(error)) => {
                // The category alone: a message may quote the data.
                unreadable("data", &error.classify());
                return None;
            }
            None => {
                unreadable("version", &version);
                return None;
            }
        };
        if let Err(invalid) = data.validate() {
            let fields: Vec<&str> = invalid.fields().map(|(name, _)| name).collect();
            unreadable("invalid", &fields);
            return None;
        }
        // Data of an older version is told to have changed by its own encoding, so that migrating alone
        // writes nothing.
        let json = if version == self.schema().version { json } else { Bytes::from(encoded(&*data).ok()?) };
        let about = About { label, ..envelope.about.clone() };
        Some(Decoded { data, json, body: record.body.clone(), about, proof: envelope.proof, retired_seal })
    }

    /// Whether records are sealed. What a token carries is encrypted with it, and is so under the newest key with each
    /// new token, read or written.
    fn seals(&self) -> bool {
        self.schema().encrypt && !self.0.carried
    }

    /// The payload, and whether a retired key sealed it.
    fn unseal(&self, key: &Key, body: &Bytes, sealed: bool, payload: usize) -> Option<(Bytes, bool)> {
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
    pub(super) fn draft(&self, about: About, proof: Proof, data: &dyn AnyData, room: usize) -> Result<Draft, Error> {
        data.validate().map_err(|invalid| Error::Invalid(invalid.discreet(self.schema().secrets)))?;
        let envelope = Envelope { about, proof, data_version: self.schema().version, sealed: self.seals() };
        let (mut bytes, payload) = envelope.write(room);
        let start = bytes.len();
        data.encode(&mut bytes).map_err(Error::Encode)?;
        Ok(Draft { envelope, bytes, payload, data: start })
    }

    /// Makes the body of a record.
    pub(super) fn finish(&self, key: &Key, draft: Draft, data: Data) -> Result<Decoded, Error> {
        let Draft { envelope, bytes, payload, data: start } = draft;
        let plain = Bytes::from(bytes);
        let json = plain.slice(start..);
        let body = if envelope.sealed {
            let header = &plain[..payload];
            let sealed = self.0.sealer.seal(&bound_to(key, header), &plain[payload..]).ok_or(Error::Seal)?;
            Bytes::from([header, &sealed].concat())
        } else {
            plain
        };
        Ok(Decoded { data, body, json, about: envelope.about, proof: envelope.proof, retired_seal: false })
    }

    /// Checks, encodes and seals data.
    pub(super) fn write(
        &self,
        key: &Key,
        about: About,
        proof: Proof,
        data: Data,
        room: usize,
    ) -> Result<Decoded, Error> {
        let draft = self.draft(about, proof, &*data, room)?;
        self.finish(key, draft, data)
    }
}

fn encoded(data: &dyn AnyData) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = Vec::new();
    data.encode(&mut json)?;
    Ok(json)
}
