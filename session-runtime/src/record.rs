//! What a store keeps of a session.

use std::fmt;
use std::time::Duration;

use bytes::{BufMut as _, Bytes};

use crate::clock::Timestamp;
use crate::id::Proof;

/// A session as a backend stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// 1 at creation and one more with every update: what conditional writes compare.
    pub version: u64,
    /// When the session was last used, as far as this record knows.
    pub last_seen: Timestamp,
    /// When the session ends however much it is used.
    pub expires: Timestamp,
    /// The session's data and what the runtime notes beside it: opaque to a backend.
    pub body: Bytes,
}

impl fmt::Debug for Record {
    /// The body may hold anybody's secrets: its length is all that shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("version", &self.version)
            .field("last_seen", &self.last_seen)
            .field("expires", &self.expires)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// The use of a session at a moment, which slides its idle timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// The moment, by the runtime's clock.
    pub now: Timestamp,
    /// The idle timeout of the session's type.
    pub idle: Duration,
    /// When the session ends however much it is used.
    pub expires: Timestamp,
}

impl Touch {
    /// How long from now a store that forgets by itself has to keep the record: the idle timeout,
    /// or what is left of the lifetime if that is less; at least a millisecond.
    pub fn keep(&self) -> Duration {
        self.idle.min(self.expires.since(self.now)).max(Duration::from_millis(1))
    }

    /// Whether a record is still alive at this moment. `slack` is how much older than the last
    /// use its `last_seen` may be (see [`Backend::idle_slack`](crate::backend::Backend::idle_slack)).
    pub fn is_live(&self, record: &Record, slack: Duration) -> bool {
        self.now < record.expires && self.now.since(record.last_seen) < self.idle.saturating_add(slack)
    }
}

/// The body of a record, decoded as far as the runtime needs it.
///
/// Layout: one byte of format (1: plain, 2: sealed), eight bytes of creation time (milliseconds, big
/// endian), sixteen bytes of proof, four bytes of the data's version, then the data.
pub(crate) struct Envelope {
    pub(crate) created: Timestamp,
    pub(crate) proof: Proof,
    pub(crate) data_version: u32,
    /// Whether the data behind the header is sealed.
    pub(crate) sealed: bool,
}

impl Envelope {
    const PLAIN: u8 = 1;
    const SEALED: u8 = 2;
    pub(crate) const HEADER: usize = 1 + 8 + 16 + 4;

    /// The data behind the header.
    pub(crate) fn data(body: &[u8]) -> &[u8] {
        body.get(Self::HEADER..).unwrap_or_default()
    }

    /// The header, with room for the data behind it.
    pub(crate) fn header(&self, room: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::HEADER + room);
        out.put_u8(if self.sealed { Self::SEALED } else { Self::PLAIN });
        out.put_u64(self.created.as_millis());
        out.put_slice(&self.proof.0);
        out.put_u32(self.data_version);
        out
    }

    /// Reads a body; `None` for what this version of the library did not write.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let (header, _) = body.split_first_chunk::<{ Self::HEADER }>()?;
        let (format, rest) = header.split_first()?;
        let (created, rest) = rest.split_first_chunk::<8>()?;
        let (proof, data_version) = rest.split_first_chunk::<16>()?;
        let sealed = match *format {
            Self::PLAIN => false,
            Self::SEALED => true,
            _ => return None,
        };
        Some(Self {
            sealed,
            created: Timestamp::from_millis(u64::from_be_bytes(*created)),
            proof: Proof(*proof),
            data_version: u32::from_be_bytes(data_version.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(now: u64) -> Touch {
        Touch { now: Timestamp::from_secs(now), idle: Duration::from_secs(60), expires: Timestamp::from_secs(100) }
    }

    fn record(last_seen: u64) -> Record {
        Record {
            version: 1,
            last_seen: Timestamp::from_secs(last_seen),
            expires: Timestamp::from_secs(100),
            body: Bytes::from_static(b"secret"),
        }
    }

    #[test]
    fn a_record_is_alive_until_idle_or_lifetime_ends() {
        let none = Duration::ZERO;
        assert!(touch(59).is_live(&record(0), none));
        assert!(!touch(60).is_live(&record(0), none));
        assert!(touch(60).is_live(&record(0), Duration::from_secs(1)));
        assert!(touch(99).is_live(&record(90), none));
        assert!(!touch(100).is_live(&record(99), none));
        assert!(touch(0).is_live(&record(50), none), "a clock that jumped back makes no panic");
    }

    #[test]
    fn a_store_keeps_no_longer_than_the_lifetime() {
        assert_eq!(touch(10).keep(), Duration::from_secs(60));
        assert_eq!(touch(70).keep(), Duration::from_secs(30));
        assert_eq!(touch(200).keep(), Duration::from_millis(1));
    }

    #[test]
    fn debug_shows_no_data() {
        assert!(!format!("{:?}", record(0)).contains("secret"));
    }

    #[test]
    fn what_is_no_envelope_is_none() {
        for body in [&b""[..], b"\x01", &[3; 64], &[0; 64], &[1; 28]] {
            assert!(Envelope::read(body).is_none());
        }
        let envelope =
            Envelope { created: Timestamp::from_secs(1), proof: Proof([7; 16]), data_version: 3, sealed: false };
        let mut body = envelope.header(2);
        body.extend_from_slice(b"{}");
        let read = Envelope::read(&body).unwrap();
        assert_eq!(
            (read.created, read.proof.0, read.data_version, &body[Envelope::HEADER..]),
            (Timestamp::from_secs(1), [7; 16], 3, &b"{}"[..])
        );
    }
}
