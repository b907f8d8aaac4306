//! A record as the bytes of a string, and what the scripts answer.

use std::time::Duration;

use bytes::Bytes;
use redis::Value;

use super::fault::unavailable;
use crate::backend::{BackendError, Record, Touch, Written};
use crate::clock::Timestamp;

const HEADER: usize = 24;

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + record.body.len());
    bytes.extend_from_slice(&record.version.to_be_bytes());
    bytes.extend_from_slice(&record.last_seen.as_millis().to_be_bytes());
    bytes.extend_from_slice(&record.expires.as_millis().to_be_bytes());
    bytes.extend_from_slice(&record.body);
    bytes
}

/// A record from a reply. What is too short to be one is no session, and is left alone.
pub(super) fn decode(value: Value) -> Result<Option<Record>, BackendError> {
    let stored = decode_stored(value)?;
    if let Some(None) = stored {
        event!(warn, "session.unreadable", "a stored session is too short to be one; left alone");
    }
    Ok(stored.flatten())
}

/// The same, with `Some(None)` for what is too short to be a record.
pub(super) fn decode_stored(value: Value) -> Result<Option<Option<Record>>, BackendError> {
    let bytes = match value.extract_error().map_err(unavailable)? {
        Value::BulkString(bytes) => Bytes::from(bytes),
        Value::Nil => return Ok(None),
        _ => return Err(unexpected_reply()),
    };
    let word = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let (Some(version), Some(last_seen), Some(expires)) = (word(0), word(8), word(16)) else { return Ok(Some(None)) };
    Ok(Some(Some(Record {
        version,
        last_seen: Timestamp::from_millis(last_seen),
        expires: Timestamp::from_millis(expires),
        body: bytes.slice(HEADER..),
    })))
}

pub(super) fn unexpected_reply() -> BackendError {
    BackendError::new("Redis gave an answer of an unexpected type")
}

/// The number that a script answers.
pub(super) fn number(value: &Value) -> Result<i64, BackendError> {
    match value {
        Value::Int(number) => Ok(*number),
        _ => Err(unexpected_reply()),
    }
}

pub(super) fn written(code: i64) -> Result<Written, BackendError> {
    match code {
        0 => Ok(Written::Absent),
        1 => Ok(Written::Done),
        2 => Ok(Written::Conflict),
        _ => Err(unexpected_reply()),
    }
}

pub(super) fn keep(record: &Record, touch: Touch) -> u64 {
    millis(Touch { expires: record.expires, ..touch }.keep())
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
