//! Listing the sessions in Redis.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::{FromRedisValue as _, Pipeline, Value};

use super::connection::{Loss, Request};
use super::encoding::{decode_stored, unexpected_reply};
use super::fault::unavailable;
use super::{BackendError, Redis};
use crate::backend::{List, ListCursor, ListPage, ListedRecord};
use crate::id::RecordKey;

/// The server does nothing else while it looks at so many names.
const LARGEST: usize = 1000;

impl List for Redis {
    /// One `SCAN` and the `GET`s of what it found, in two round trips. The user needs the right `+scan`, which nothing else needs.
    async fn list(&self, after: Option<&ListCursor>, limit: usize) -> Result<ListPage, BackendError> {
        if self.connection.is_cluster() {
            return Err(BackendError::new("the sessions in a Redis Cluster can't be listed"));
        }
        let cursor = after.map_or(b"0".as_slice(), ListCursor::as_bytes);
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(self.pattern()).arg("COUNT").arg(limit.clamp(1, LARGEST));
        let answer = self.send(&scan, Loss::Resend).await?;
        let (next, names) = <(Vec<u8>, Vec<Vec<u8>>)>::from_redis_value(answer).map_err(|_| unexpected_reply())?;
        // While its table grows Redis names a record twice, also in one page.
        let keys: BTreeSet<RecordKey> = names.iter().filter_map(|name| self.key_named(name)).collect();
        let next = (next != b"0").then(|| ListCursor::from_bytes(next));
        Ok(ListPage { records: self.stored(keys).await?, next })
    }
}

impl Redis {
    /// What the names of records match and those of leases do not.
    fn pattern(&self) -> String {
        let mut pattern = String::new();
        for letter in self.prefix.chars() {
            if matches!(letter, '*' | '?' | '[' | ']' | '^' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern + "{*}"
    }

    fn key_named(&self, name: &[u8]) -> Option<RecordKey> {
        let text = name.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b"{")?.strip_suffix(b"}")?;
        Some(RecordKey::from_bytes(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }

    async fn stored(&self, keys: BTreeSet<RecordKey>) -> Result<Vec<ListedRecord>, BackendError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::with_capacity(keys.len());
        for key in &keys {
            pipeline.cmd("GET").arg(self.record(key));
        }
        let answer = self.connection.send(Request::All(&pipeline), Loss::Resend).await.map_err(unavailable)?;
        let Value::Array(values) = answer.value else { return Err(unexpected_reply()) };
        let mut records = Vec::with_capacity(keys.len());
        for (key, value) in keys.into_iter().zip(values) {
            // Of another type, it is no record of ours.
            let Ok(stored) = decode_stored(value) else {
                records.push(ListedRecord { key, record: None });
                continue;
            };
            records.extend(stored.map(|record| ListedRecord { key, record }));
        }
        Ok(records)
    }
}
