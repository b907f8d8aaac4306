//! What a record's header holds of the device that its session is bound to.

use bytes::BufMut as _;

use crate::clock::Timestamp;

/// The key of a device that a session is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceNote {
    /// The point on the curve P-256, compressed.
    pub(crate) key: [u8; 33],
    /// When the session was bound to it.
    pub(crate) bound: Timestamp,
    /// When the newest challenge was made of which a proof was accepted.
    pub(crate) challenged: Timestamp,
    /// When that proof was accepted.
    pub(crate) proven: Timestamp,
}

impl DeviceNote {
    /// What its bytes begin with, so that another layout can be told from this one.
    const LAYOUT: u8 = 1;
    pub(super) const LEN: usize = 1 + 33 + 3 * 8;

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let Self { key, bound, challenged, proven } = self;
        out.put_u8(Self::LAYOUT);
        out.put_slice(key);
        for time in [bound, challenged, proven] {
            out.put_u64(time.as_millis());
        }
    }

    pub(super) fn read(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let (key, times) = bytes.strip_prefix(&[Self::LAYOUT])?.split_first_chunk()?;
        let time = |at: usize| Some(Timestamp::from_millis(u64::from_be_bytes(*times.get(at..)?.first_chunk()?)));
        Some(Self { key: *key, bound: time(0)?, challenged: time(8)?, proven: time(16)? })
    }
}
