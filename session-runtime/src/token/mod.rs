//! Tokens: what a client holds of its session.
//!
//! A token is a [Fernet](https://github.com/fernet/spec) token under a key derived for one session
//! type, cookie and application. Its plaintext is one byte of format (1), the 24 bytes of the
//! session's id and five bytes of the session's last moment (seconds since the epoch, big endian):
//! 30 bytes, 120 characters as a token.
//!
//! The token of a session whose login gave it an idle timeout of its own has format 3, and behind those 30 bytes that
//! timeout (five bytes, milliseconds, big endian): the store has to know it when it is asked, which is before it has
//! answered. It has 140 characters.
//!
//! A token that carries its session has format 2, and behind those 30 bytes the record: its version, last
//! use and expiry (eight bytes each, milliseconds, big endian), and its body.

mod cache;
#[cfg(feature = "device-bound")]
mod device;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;

use crate::clock::Timestamp;
use crate::crypto::{Blank, FernetKey, Keyring};
use crate::id::SessionId;
use crate::record::{Record, idle_bytes, idle_from};

pub(crate) use cache::{TokenCache, TokenDigest};
#[cfg(feature = "device-bound")]
pub(crate) use device::{DeviceClaims, DeviceTokens};

/// The length of a token that names a session.
const NAMING_LEN: usize = 120;
/// The same where the session has an idle timeout of its own.
const IDLING_LEN: usize = 140;

/// Whether a token that names a session can have this length. Any other is refused before any work is done on it.
pub(crate) const fn is_token_len(length: usize) -> bool {
    length == NAMING_LEN || length == IDLING_LEN
}

/// The longest token that carries a session: what a browser keeps of a cookie.
pub(crate) const CARRIED_MAX: usize = 4096;

/// How far a token's time may lie ahead of our clock (Fernet's own rule).
const MAX_SKEW: Duration = Duration::from_secs(60);

/// What a verified token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) id: SessionId,
    /// When the token was made.
    pub(crate) issued: Timestamp,
    /// The session's last moment, however much it is used.
    pub(crate) expires: Timestamp,
    /// The idle timeout of this session, where its login gave it one.
    pub(crate) idle: Option<Duration>,
    /// Whether another key than the newest one verified it, so that a new token is due.
    pub(crate) retired_key: bool,
}

impl Claims {
    /// Whether the token may be used at this moment: the same rule for a token just verified as for
    /// one that is remembered.
    pub(crate) fn are_current(&self, now: Timestamp, ttl: Duration) -> bool {
        now < self.expires && is_of_age(self.issued, now, ttl)
    }
}

/// Makes and verifies the tokens of one session type.
pub(crate) struct Tokens {
    /// Newest first, never empty.
    keys: Vec<FernetKey>,
    ttl: Duration,
}

impl Tokens {
    const NAMES: u8 = 1;
    const CARRIES: u8 = 2;
    const NAMES_IDLING: u8 = 3;
    const CLAIMS: usize = 1 + SessionId::LEN + 5;
    /// The bytes of a token that names a session, decoded.
    const NAMING_ROOM: usize = IDLING_LEN.div_ceil(4) * 3;

    pub(crate) fn new(keyring: &Keyring, purpose: &str, ttl: Duration) -> Self {
        Self { keys: keyring.derive(&format!("session-runtime v1 token {purpose}")), ttl }
    }

    /// Those of one domain of several: what is made for one is not good on another.
    pub(crate) fn of_domain(keyring: &Keyring, purpose: &str, domain: &str, ttl: Duration) -> Self {
        // A domain has no space, so no two pairs give the same text, nor that of a type with one domain.
        Self { keys: keyring.derive(&format!("session-runtime v1 domain-token {domain} {purpose}")), ttl }
    }

    /// A token that names this session, made now under the newest key.
    pub(crate) fn seal(&self, id: SessionId, expires: Timestamp, idle: Option<Duration>, now: Timestamp) -> String {
        let plaintext = match idle {
            None => claims(Self::NAMES, id, expires).to_vec(),
            Some(idle) => {
                let mut plaintext = claims(Self::NAMES_IDLING, id, expires).to_vec();
                plaintext.extend_from_slice(&idle_bytes(idle));
                plaintext
            }
        };
        self.keys[0].seal(&plaintext, now.as_secs())
    }

    /// A token that carries this session, made now under the newest key.
    pub(crate) fn seal_record(&self, id: SessionId, record: &Record, now: Timestamp) -> String {
        let mut plaintext = Blank::new(Self::CLAIMS + 24 + record.body.len());
        plaintext.push(&claims(Self::CARRIES, id, record.expires));
        for word in [record.version, record.last_seen.as_millis(), record.expires.as_millis()] {
            plaintext.push(&word.to_be_bytes());
        }
        plaintext.push(&record.body);
        self.keys[0]
            .seal_blank(plaintext, now.as_secs())
            .expect("a blank has room for its header and is given its padding")
    }

    /// Verifies a token that names a session: MAC first, then age, then what is inside. `None` is all a
    /// caller learns.
    pub(crate) fn open(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let expected = match token.len() {
            NAMING_LEN => Self::NAMES,
            IDLING_LEN => Self::NAMES_IDLING,
            _ => return None,
        };
        let mut buffer = [0; Self::NAMING_ROOM];
        let (claims, rest) = self.verify(&mut buffer, token, now, expected)?;
        if expected == Self::NAMES {
            return rest.is_empty().then_some(claims);
        }
        let idle = idle_from(rest.try_into().ok()?);
        Some(Claims { idle: Some(idle), ..claims })
    }

    /// Verifies a token that carries a session. An idle timeout of its own is in the record.
    pub(crate) fn open_record(&self, token: &str, now: Timestamp) -> Option<(Claims, Record)> {
        if token.len() > CARRIED_MAX {
            return None;
        }
        let mut buffer = vec![0; base64::decoded_len_estimate(token.len())];
        let (claims, rest) = self.verify(&mut buffer, token, now, Self::CARRIES)?;
        let word = |at: usize| Some(u64::from_be_bytes(*rest.get(at..)?.first_chunk()?));
        let (version, last_seen, expires) = (word(0)?, word(8)?, word(16)?);
        let record = Record {
            version,
            last_seen: Timestamp::from_millis(last_seen),
            expires: Timestamp::from_millis(expires),
            // A copy of its own, since it may be kept for long, and the token is longer.
            body: Bytes::copy_from_slice(&rest[24..]),
        };
        Some((claims, record))
    }

    /// Whether a token is of our making, however old: for telling those that have run out from forged ones.
    pub(crate) fn made(&self, token: &str) -> bool {
        if token.len() > CARRIED_MAX {
            return false;
        }
        let mut bytes = URL_SAFE.decode(token).unwrap_or_default();
        let key = self.keys.iter().find(|key| key.verify(&bytes).is_some());
        key.is_some_and(|key| key.decrypt(&mut bytes).is_some())
    }

    /// When a token says that it was made; nothing of it is verified.
    #[cfg(feature = "inspect")]
    pub(crate) fn issued(token: &str) -> Option<Timestamp> {
        let bytes = URL_SAFE.decode(token).ok()?;
        Some(Timestamp::from_secs(u64::from_be_bytes(bytes.get(1..9)?.try_into().ok()?)))
    }

    /// What a token says that is of this format, and what is behind that. It is decoded into the buffer.
    fn verify<'a>(
        &self,
        buffer: &'a mut [u8],
        token: &str,
        now: Timestamp,
        expected: u8,
    ) -> Option<(Claims, &'a [u8])> {
        let Opened { age, issued, plaintext } = open(&self.keys, buffer, token, self.ttl, now)?;
        let (head, rest) = plaintext.split_first_chunk::<{ Self::CLAIMS }>()?;
        let (format, claimed) = head.split_first()?;
        let (id, expires) = claimed.split_first_chunk::<{ SessionId::LEN }>()?;
        (*format == expected).then_some(())?;
        let expires = expires.iter().fold(0, |secs, byte| secs << 8 | u64::from(*byte));
        let claims = Claims {
            id: SessionId::from_bytes(*id),
            issued,
            expires: Timestamp::from_secs(expires),
            idle: None,
            retired_key: age > 0,
        };
        claims.are_current(now, self.ttl).then_some((claims, rest))
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }
}

/// What every token begins with.
fn claims(format: u8, id: SessionId, expires: Timestamp) -> [u8; Tokens::CLAIMS] {
    let mut plaintext = [0; Tokens::CLAIMS];
    plaintext[0] = format;
    plaintext[1..=SessionId::LEN].copy_from_slice(&id.to_bytes());
    plaintext[SessionId::LEN + 1..].copy_from_slice(&expires.as_secs().to_be_bytes()[3..]);
    plaintext
}

/// A Fernet token that held.
struct Opened<'a> {
    /// The place in the ring of the key that verified it.
    age: usize,
    issued: Timestamp,
    plaintext: &'a [u8],
}

/// Verifies and decrypts a Fernet token with whichever of these keys made it: every token of a client comes
/// through here. It is decoded into the buffer, and decrypted there.
///
/// A token has one spelling: neither more nor less `=` at its end is taken, nor stray bits in its last character.
fn open<'a>(
    keys: &[FernetKey],
    buffer: &'a mut [u8],
    token: &str,
    ttl: Duration,
    now: Timestamp,
) -> Option<Opened<'a>> {
    let length = URL_SAFE.decode_slice(token, buffer).ok()?;
    let bytes = buffer.get_mut(..length)?;
    let verified = |(age, key)| Some((age, key, FernetKey::verify(key, bytes)?));
    let (age, key, secs) = keys.iter().enumerate().find_map(verified)?;
    let issued = Timestamp::from_secs(secs);
    // What is past all moments would count as the last one.
    (issued.as_secs() == secs && is_of_age(issued, now, ttl)).then_some(())?;
    Some(Opened { age, issued, plaintext: key.decrypt(bytes)? })
}

/// Whether a token of this time is neither too old nor from the future.
fn is_of_age(issued: Timestamp, now: Timestamp, ttl: Duration) -> bool {
    now.since(issued) <= ttl && issued.since(now) <= MAX_SKEW
}

#[cfg(feature = "testing")]
pub(crate) mod fuzz;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod spec;
