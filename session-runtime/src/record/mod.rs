//! What a store keeps of a session.

mod device_note;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes};

use crate::clock::Timestamp;
use crate::id::{IdHash, TypeTag, unique_write};

pub(crate) use self::device_note::DeviceNote;

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
    /// The idle timeout of the session: that of its type, or the shorter one that its login gave it.
    pub idle: Duration,
    /// When the session ends however much it is used.
    pub expires: Timestamp,
}

/// How often a store has to note the use of a session that it notes only when that is due: a sixteenth of the idle
/// timeout, at most a minute. So a session ends that much after its idle timeout at the latest, and most reads write
/// nothing.
///
/// A store that notes uses this way returns it from [`Backend::idle_slack`](crate::backend::Backend::idle_slack).
///
/// ```
/// use session_runtime::backend::touch_interval;
/// use std::time::Duration;
/// assert_eq!(touch_interval(Duration::from_secs(160)), Duration::from_secs(10));
/// assert_eq!(touch_interval(Duration::from_secs(86_400)), Duration::from_secs(60));
/// ```
pub fn touch_interval(idle: Duration) -> Duration {
    (idle / 16).min(Duration::from_secs(60))
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

/// An idle timeout as tokens and records hold it: milliseconds, big endian, up to some 34 years.
pub(crate) fn idle_bytes(idle: Duration) -> [u8; 5] {
    let millis = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX).min((1 << 40) - 1);
    let [_, _, _, bytes @ ..] = millis.to_be_bytes();
    bytes
}

/// The idle timeout that these bytes hold.
pub(crate) fn idle_from(bytes: [u8; 5]) -> Duration {
    Duration::from_millis(bytes.iter().fold(0, |millis, byte| millis << 8 | u64::from(*byte)))
}

/// What the runtime notes of a session beside its data, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionMeta {
    pub(crate) created: Timestamp,
    /// When the person last proved who they are.
    pub(crate) authenticated_at: Timestamp,
    /// When the session got its present id.
    pub(crate) rotated: Timestamp,
    /// How often the session was rotated for a reason, other than on a schedule: what a handle on it is held to.
    pub(crate) generation: u32,
    /// The id before the present one, where it may still be used for a moment.
    pub(crate) previous_id_hash: Option<IdHash>,
    /// Whether the cookie outlives the browser, where the login said so.
    pub(crate) persistent: Option<bool>,
    /// The idle timeout of this session, where its login gave it one.
    pub(crate) idle: Option<Duration>,
    /// What a person knows the session by, such as the name of a browser.
    pub(crate) label: Option<Arc<str>>,
    /// The key of a device that the session is bound to. It is read and written whether or not the feature is on, so that
    /// no process loses what another one has noted.
    pub(crate) device: Option<DeviceNote>,
}

impl SessionMeta {
    /// A session that starts now.
    pub(crate) fn starting(now: Timestamp) -> Self {
        Self {
            created: now,
            authenticated_at: now,
            rotated: now,
            generation: 0,
            previous_id_hash: None,
            persistent: None,
            idle: None,
            label: None,
            device: None,
        }
    }
}

/// The body of a record, decoded as far as the runtime needs it.
///
/// Layout: a header, then the payload, which may be sealed.
///
/// The header is one byte of format (1: plain, 2: sealed), the times of creation, of the last proof and of
/// the last rotation (eight bytes each: milliseconds, big endian), four bytes of generation, sixteen bytes of proof,
/// four bytes of the data's version, one byte of flags, with flag 4 sixteen bytes of the former proof, with flag 8 five
/// bytes of the idle timeout that the login chose (milliseconds, big endian), with flag 16 eight bytes of a hash of the
/// session type, which every record in a store has since it could be listed, and with flag 32 the device that the session is
/// bound to: one byte of layout (1), its key (33 bytes, a compressed point on P-256), and when the session was bound, when
/// the newest challenge that it answered was made, and when that answer came (eight bytes each). With flag 64, which every
/// record in a store has, eight bytes follow that no other write has: what tells a write whose answer was lost from an
/// equal one of another process. Flag 1 says that the login chose whether the cookie is persistent, flag 2 what it chose.
///
/// The payload is one byte for the length of the label, the label in UTF-8, then the data.
pub(crate) struct Envelope {
    pub(crate) meta: SessionMeta,
    pub(crate) id_hash: IdHash,
    pub(crate) data_version: u32,
    /// Whether the payload is sealed.
    pub(crate) sealed: bool,
    /// Whose session it is; `None` in a token, and in a record of a release that did not note it.
    pub(crate) type_tag: Option<TypeTag>,
}

impl Envelope {
    const PLAIN: u8 = 1;
    const SEALED: u8 = 2;
    const HEADER: usize = 1 + 3 * 8 + 4 + 16 + 4 + 1;
    const CHOSEN: u8 = 1;
    const PERSISTENT: u8 = 2;
    const PREVIOUS: u8 = 4;
    const IDLE: u8 = 8;
    const TAGGED: u8 = 16;
    const DEVICE: u8 = 32;
    const WRITE: u8 = 64;
    /// The most bytes of a label.
    pub(crate) const LABEL: usize = 255;

    /// The body without the data, with room for a body of so many bytes: its bytes, and where the payload in them begins.
    pub(crate) fn write(&self, room: usize) -> (Vec<u8>, usize) {
        let mut out = self.write_header(room);
        let payload = out.len();
        let label = self.meta.label.as_deref().unwrap_or_default();
        let most = label.len().min(Self::LABEL);
        let end = (0..=most).rev().find(|end| label.is_char_boundary(*end)).unwrap_or_default();
        let label = &label[..end];
        out.extend(u8::try_from(label.len()));
        out.put_slice(label.as_bytes());
        (out, payload)
    }

    /// The header alone, with room for a body of so many bytes: a payload follows.
    pub(crate) fn write_header(&self, room: usize) -> Vec<u8> {
        let Self {
            meta:
                SessionMeta {
                    created,
                    authenticated_at,
                    rotated,
                    generation,
                    previous_id_hash,
                    persistent,
                    idle,
                    label: _,
                    device,
                },
            id_hash,
            data_version,
            sealed,
            type_tag,
        } = self;
        let mut out = Vec::with_capacity(room.max(Self::HEADER + 2));
        out.put_u8(if *sealed { Self::SEALED } else { Self::PLAIN });
        for time in [created, authenticated_at, rotated] {
            out.put_u64(time.as_millis());
        }
        out.put_u32(*generation);
        out.put_slice(&id_hash.0);
        out.put_u32(*data_version);
        let flags = [
            (persistent.is_some(), Self::CHOSEN),
            (*persistent == Some(true), Self::PERSISTENT),
            (previous_id_hash.is_some(), Self::PREVIOUS),
            (idle.is_some(), Self::IDLE),
            (type_tag.is_some(), Self::TAGGED),
            (device.is_some(), Self::DEVICE),
            (type_tag.is_some(), Self::WRITE),
        ];
        out.put_u8(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| flag).sum());
        if let Some(previous_id_hash) = previous_id_hash {
            out.put_slice(&previous_id_hash.0);
        }
        if let Some(idle) = idle {
            out.put_slice(&idle_bytes(*idle));
        }
        if let Some(TypeTag(tag)) = type_tag {
            out.put_slice(tag);
        }
        if let Some(device) = device {
            device.put(&mut out);
        }
        if type_tag.is_some() {
            out.put_slice(&unique_write());
        }
        out
    }

    /// Reads a body's header, and gives where its payload begins; `None` for what this version of the library
    /// did not write. The label is in the payload.
    pub(crate) fn read(body: &[u8]) -> Option<(Self, usize)> {
        let (header, mut rest) = body.split_first_chunk::<{ Self::HEADER }>()?;
        let time =
            |at: usize| Some(Timestamp::from_millis(u64::from_be_bytes(header.get(at..at + 8)?.try_into().ok()?)));
        let sealed = match header[0] {
            Self::PLAIN => false,
            Self::SEALED => true,
            _ => return None,
        };
        let word = |at: usize| Some(u32::from_be_bytes(*header.get(at..)?.first_chunk()?));
        let id_hash = IdHash(*header.get(29..)?.first_chunk()?);
        let (generation, data_version, flags) = (word(25)?, word(45)?, header[49]);
        const KNOWN: u8 = Envelope::CHOSEN
            | Envelope::PERSISTENT
            | Envelope::PREVIOUS
            | Envelope::IDLE
            | Envelope::TAGGED
            | Envelope::DEVICE
            | Envelope::WRITE;
        let known = flags & !KNOWN == 0;
        if !known || flags & (Self::CHOSEN | Self::PERSISTENT) == Self::PERSISTENT {
            return None;
        }
        if flags & (Self::TAGGED | Self::WRITE) == Self::WRITE {
            return None;
        }
        let mut previous_id_hash = None;
        if flags & Self::PREVIOUS != 0 {
            let (id_hash, behind) = rest.split_first_chunk::<16>()?;
            (previous_id_hash, rest) = (Some(IdHash(*id_hash)), behind);
        }
        let mut idle = None;
        if flags & Self::IDLE != 0 {
            let (bytes, behind) = rest.split_first_chunk::<5>()?;
            (idle, rest) = (Some(idle_from(*bytes)), behind);
        }
        let mut type_tag = None;
        if flags & Self::TAGGED != 0 {
            let (tag, behind) = rest.split_first_chunk::<8>()?;
            (type_tag, rest) = (Some(TypeTag(*tag)), behind);
        }
        let mut device = None;
        if flags & Self::DEVICE != 0 {
            let (bytes, behind) = rest.split_first_chunk()?;
            (device, rest) = (Some(DeviceNote::read(bytes)?), behind);
        }
        if flags & Self::WRITE != 0 {
            (_, rest) = rest.split_first_chunk::<8>()?;
        }
        let meta = SessionMeta {
            created: time(1)?,
            authenticated_at: time(9)?,
            rotated: time(17)?,
            generation,
            previous_id_hash,
            persistent: (flags & Self::CHOSEN != 0).then_some(flags & Self::PERSISTENT != 0),
            idle,
            label: None,
            device,
        };
        Some((Self { meta, id_hash, data_version, sealed, type_tag }, body.len() - rest.len()))
    }

    /// Reads the label in a payload, and gives where the data begins.
    pub(crate) fn label(payload: &[u8]) -> Option<(Option<Arc<str>>, usize)> {
        let (length, rest) = payload.split_first()?;
        let label = std::str::from_utf8(rest.get(..usize::from(*length))?).ok()?;
        Some(((!label.is_empty()).then(|| label.into()), 1 + label.len()))
    }
}

#[cfg(test)]
mod tests;
