//! Files of any bytes.

use std::time::Duration;

use bytes::Bytes;

use super::format::{FileEntry, decode, encode};
use crate::clock::Timestamp;
use crate::record::Record;

/// What is read is what would be written.
pub(in crate::backend) fn file(input: &[u8]) {
    if let Some(FileEntry { record, idle }) = decode(input.to_vec()) {
        assert_eq!(encode(&record, idle), input);
    }
}

/// A file as it is written, of anything, and with these edits: each of a place and of bits to flip there.
pub(in crate::backend) fn altered_file(input: &[u8]) {
    let (words, rest) = input.as_chunks::<8>();
    let word = |at: usize| words.get(at).map_or(u64::MAX, |word| u64::from_be_bytes(*word));
    let record = Record {
        version: word(0),
        last_seen: Timestamp::from_millis(word(1)),
        expires: Timestamp::from_millis(word(2)),
        body: Bytes::copy_from_slice(input),
    };
    let entry = FileEntry { record, idle: Duration::from_millis(word(3)) };
    let genuine = encode(&entry.record, entry.idle);
    let mut altered = genuine.clone();
    for edit in rest.chunks_exact(2) {
        let at = usize::from(edit[0]) % altered.len();
        altered[at] ^= edit[1];
    }
    assert_eq!(decode(altered.clone()).is_some(), altered == genuine);
    assert_eq!(decode(genuine), Some(entry));
}
