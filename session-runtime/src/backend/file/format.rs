//! A record as the bytes of a file.
//!
//! Layout: eight bytes that name the format, eight of a SHA-256 over all that follows, eight each of
//! version, of last use, of expiry and of the idle timeout (big endian, milliseconds), then the body.
//! The hash tells what a power cut or a bad disk left behind; it is no defence against who can write
//! the folder.

use std::time::Duration;

use bytes::{BufMut as _, Bytes};
use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::record::Record;

const FORMAT: [u8; 8] = *b"session1";
const HASHED: usize = FORMAT.len() + 8;
const HEADER: usize = HASHED + 4 * 8;

/// A record and the idle timeout of its type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileEntry {
    pub(super) record: Record,
    /// What a sweep goes by: another type that shares the folder may have another timeout.
    pub(super) idle: Duration,
}

pub(super) fn encode(record: &Record, idle: Duration) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + record.body.len());
    bytes.put_slice(&FORMAT);
    bytes.put_bytes(0, 8);
    bytes.put_u64(record.version);
    bytes.put_u64(record.last_seen.as_millis());
    bytes.put_u64(record.expires.as_millis());
    bytes.put_u64(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
    bytes.put_slice(&record.body);
    let sum = sum(&bytes[HASHED..]);
    bytes[FORMAT.len()..HASHED].copy_from_slice(&sum);
    bytes
}

/// `None` for what is not, or no longer, what [`encode`] wrote.
pub(super) fn decode(bytes: Vec<u8>) -> Option<FileEntry> {
    let hashed = bytes.get(HASHED..)?;
    if bytes[..FORMAT.len()] != FORMAT || bytes[FORMAT.len()..HASHED] != sum(hashed) {
        return None;
    }
    let word = |at: usize| Some(u64::from_be_bytes(hashed.get(at..at + 8)?.try_into().ok()?));
    let (version, last_seen, expires, idle) = (word(0)?, word(8)?, word(16)?, word(24)?);
    let record = Record {
        version,
        last_seen: Timestamp::from_millis(last_seen),
        expires: Timestamp::from_millis(expires),
        body: Bytes::from(bytes).slice(HEADER..),
    };
    Some(FileEntry { record, idle: Duration::from_millis(idle) })
}

/// Whether these bytes begin as a record does.
pub(super) fn is_begun(bytes: &[u8]) -> bool {
    bytes.starts_with(&FORMAT)
}

fn sum(bytes: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&Sha256::digest(bytes)[..8]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(body: &'static [u8]) -> Record {
        let (last_seen, expires) = (Timestamp::from_millis(1), Timestamp::from_millis(u64::MAX));
        Record { version: 7, last_seen, expires, body: Bytes::from_static(body) }
    }

    const IDLE: Duration = Duration::from_secs(60);

    #[test]
    fn what_was_written_is_read() {
        for body in [&b""[..], b"x", b"\0\xff\r\n"] {
            assert_eq!(decode(encode(&record(body), IDLE)), Some(FileEntry { record: record(body), idle: IDLE }));
        }
    }

    #[test]
    fn what_was_cut_short_or_changed_is_no_record() {
        let whole = encode(&record(b"a body"), IDLE);
        for length in 0..whole.len() {
            assert_eq!(decode(whole[..length].to_vec()), None, "{length} bytes");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(decode(changed), None, "byte {at}");
        }
        assert_eq!(decode([&whole[..], b"x"].concat()), None, "something is appended");
        assert_eq!(decode(vec![0; whole.len()]), None, "a power cut may leave zeros");
    }
}
