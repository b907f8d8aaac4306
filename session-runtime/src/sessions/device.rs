//! Sessions that are bound to a device: offered, registered, proved, and asked about with each request.
//!
//! Everything but the key stands in tokens, so that any process can go on where another one has stopped. The key stands in
//! the session's record: the first one that is registered stays, by a conditional write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use session_rules::cookie::Cookie;
use session_rules::device::device_cookie;

use super::core::Core;
use super::device_note::Change;
use super::snapshot::TokenEntry;
use crate::backend::RecordKey;
use crate::clock::Timestamp;
use crate::crypto::Keyring;
use crate::declaration::DeviceBinding;
use crate::device::{DeviceKey, Flaw, bound_to};
use crate::error::Error;
use crate::record::{DeviceNote, Envelope, SessionMeta};
use crate::telemetry;
use crate::token::{Claims, DeviceClaims, DeviceTokens};

/// How long a session is admitted without a proof: a browser's next page often outruns its registration.
const GRACE: Duration = Duration::from_secs(30);

/// How long a proof may be sent again: a browser whose connection was dropped does so.
const AGAIN: Duration = Duration::from_secs(60);

/// How long a proof waits for others that write the session. A browser gives up after 20 s.
const WAIT: Duration = Duration::from_secs(2);

/// How long a registration does. It has no second chance, and a browser waits for it.
const PATIENCE: Duration = Duration::from_secs(8);

/// What binds the sessions of one type to devices.
pub(super) struct Binding {
    declared: DeviceBinding,
    tokens: DeviceTokens,
    cookie: Cookie,
    /// Whether there is a route where a browser can register a key.
    mounted: AtomicBool,
    /// Whether it was told that there is none.
    told: AtomicBool,
}

impl Binding {
    pub(super) fn new(declared: DeviceBinding, keyring: &Keyring, purpose: &str, cookie: &Cookie) -> Self {
        let tokens = DeviceTokens::new(keyring, purpose, declared.every);
        Self {
            declared,
            tokens,
            cookie: device_cookie(cookie),
            mounted: AtomicBool::new(false),
            told: AtomicBool::new(false),
        }
    }
}

/// Whether a session is bound to a device, by [`Session::device`](crate::Session::device).
///
/// ```
/// use session_runtime::Device;
/// # let now = std::time::SystemTime::now();
/// let said = match (Device::Bound { since: now, proven: now }) {
///     Device::Bound { .. } => "A stolen cookie is of no use.",
///     Device::Unbound => "This browser does not bind sessions to its device.",
/// };
/// # assert!(said.starts_with("A stolen"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// No device has registered a key: the browser can't, or has not yet.
    Unbound,
    /// Whoever uses the session has to prove a device's key.
    Bound {
        /// When the key was registered.
        since: SystemTime,
        /// When it was last proved, as far as the store has noted it.
        proven: SystemTime,
    },
}

impl Device {
    pub(crate) fn of(meta: &SessionMeta) -> Self {
        meta.device.map_or(Self::Unbound, |note| Self::Bound { since: note.bound.into(), proven: note.proven.into() })
    }
}

/// How a request stands to the device that its session is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The session is not bound, and need not be.
    Unbound,
    /// The key was proved at this moment.
    Proven(Timestamp),
    /// There is no proof, and need not be yet.
    Grace,
    /// There is no proof.
    Unproven,
    /// The session is not bound, and has to be by now.
    Required,
}

/// What became of a registration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Registered {
    /// The session is bound to this key.
    Bound(RecordKey),
    /// It is bound to another one.
    Taken,
    /// There is no such session any more, or its id has been rotated.
    Gone,
}

/// What became of a refresh.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// The key was proved: its hash, and when the challenge was made that it answered.
    Proven([u8; 16], Timestamp),
    /// A proof is asked for, of the key with this hash.
    Asked([u8; 16]),
    /// What came is no proof of this key.
    Flawed,
    /// There is no such session any more, or it is bound to no device.
    Gone,
}

impl Core {
    /// The declaration, and the cookie that says that the key was proved.
    pub(crate) fn device(&self) -> Option<(&DeviceBinding, &Cookie)> {
        self.0.device.as_ref().map(|binding| (&binding.declared, &binding.cookie))
    }

    /// From now on browsers are offered to register a key.
    pub(crate) fn mount_device_route(&self) {
        if let Some(binding) = &self.0.device {
            binding.mounted.store(true, Ordering::Relaxed);
        }
    }

    /// Where a browser is to register a key for this session, and the challenge to sign. `None` without a route.
    pub(crate) fn device_offer(&self, entry: &TokenEntry) -> Option<(&'static str, String)> {
        let binding = self.0.device.as_ref()?;
        if !binding.mounted.load(Ordering::Relaxed) {
            if !binding.told.swap(true, Ordering::Relaxed) {
                telemetry::device_route_missing(self.session_type());
            }
            return None;
        }
        Some((binding.declared.path, binding.tokens.offer(&entry.claims, self.now())))
    }

    /// What a device's cookie says. `None` if it can't be used.
    pub(crate) fn device_proof(&self, cookie: &str) -> Option<DeviceClaims> {
        self.0.device.as_ref()?.tokens.open_cookie(cookie, self.now())
    }

    /// A device's cookie, and the challenge to sign next: it is newer than the one that was answered, or the next proof
    /// would count as sent again.
    pub(crate) fn device_tokens(
        &self,
        session: &RecordKey,
        device: &[u8; 16],
        answered: Timestamp,
    ) -> Option<(String, String)> {
        let (tokens, now) = (&self.0.device.as_ref()?.tokens, self.now());
        let next = now.max(answered.plus(Duration::from_millis(1)));
        Some((tokens.cookie(session, device, now), tokens.challenge(session, device, next)))
    }

    /// How a request stands that presents this proof of its session.
    pub(crate) fn standing(&self, session: &RecordKey, meta: &SessionMeta, proof: Option<&DeviceClaims>) -> Standing {
        let Some(binding) = &self.0.device else { return Standing::Unbound };
        let young = |since: Timestamp| self.now().since(since) < GRACE;
        let Some(note) = &meta.device else {
            let refused = binding.declared.require && !young(meta.created);
            return if refused { Standing::Required } else { Standing::Unbound };
        };
        let device = DeviceKey::stored(note.key).hash();
        match proof {
            Some(proof) if proof.session == *session && proof.device == device => Standing::Proven(proof.issued),
            _ if young(note.bound) => Standing::Grace,
            _ => Standing::Unproven,
        }
    }

    /// Whether a request with this proof is to be told from a thief's before it uses the session, which would keep that
    /// from idling out. A session that was not bound a moment ago admits everybody: its grace has not passed.
    pub(crate) fn is_doubtful(&self, entry: &TokenEntry, proof: Option<&DeviceClaims>) -> bool {
        let Some(binding) = &self.0.device else { return false };
        proof.is_none() && (binding.declared.require || self.now().since(entry.unbound_at()) >= GRACE)
    }

    /// Notes of a session what it says of its device, as it was read at this moment or later.
    pub(crate) fn note_standing(&self, entry: &TokenEntry, meta: &SessionMeta, at: Timestamp) {
        if meta.device.is_none() {
            entry.set_unbound_at(at);
        }
    }

    /// The session that an offer was made for.
    pub(crate) fn device_offered(&self, challenge: &str) -> Option<Claims> {
        self.0.device.as_ref()?.tokens.open_offer(challenge, self.now())
    }

    /// Binds the session to a key, unless it is bound to another one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down, [`Error::Busy`] if others have the session exclusively all the time.
    pub(crate) async fn register_device(&self, claims: Claims, key: DeviceKey) -> Result<Registered, Error> {
        let entry = TokenEntry::new(claims, &self.0.record_names);
        let now = self.now();
        let change = |envelope: &Envelope| match envelope.meta.device {
            _ if envelope.id_hash != entry.id_hash => Change::Keep(Registered::Gone),
            Some(note) if note.key == key.to_bytes() => Change::Keep(Registered::Bound(entry.key)),
            Some(_) => Change::Keep(Registered::Taken),
            None => {
                // Every challenge for this key is made from now on.
                let challenged = Timestamp::from_millis(0);
                let note = DeviceNote { key: key.to_bytes(), bound: now, challenged, proven: now };
                Change::Write(note, Registered::Bound(entry.key))
            }
        };
        let registered = match self.note_device(&entry.key, PATIENCE, change).await {
            // It may have been noted: who asks again is told.
            Err(Error::Unavailable(_)) => self.note_device(&entry.key, PATIENCE, change).await,
            other => other,
        };
        Ok(registered?.unwrap_or(Registered::Gone))
    }

    /// Verifies a proof, and notes it. The session is not used by it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down.
    pub(crate) async fn refresh_device(&self, session: &RecordKey, proof: Option<&str>) -> Result<Refreshed, Error> {
        let Some(binding) = &self.0.device else { return Ok(Refreshed::Gone) };
        let change = |envelope: &Envelope| {
            let Some(note) = envelope.meta.device else { return Change::Keep(Refreshed::Gone) };
            let key = DeviceKey::stored(note.key);
            let Some(proof) = proof else { return Change::Keep(Refreshed::Asked(key.hash())) };
            let challenge = match bound_to(proof, &key) {
                Ok(challenge) => challenge,
                Err(Flaw::Malformed | Flaw::Signature) => return Change::Keep(Refreshed::Flawed),
            };
            let now = self.now();
            let claims = binding.tokens.open_challenge(&challenge, now);
            let claims = claims.filter(|claims| claims.session == *session && claims.device == key.hash());
            match claims {
                Some(claims) if claims.issued > note.challenged => {
                    let note = DeviceNote { challenged: claims.issued, proven: now, ..note };
                    Change::Note(note, Refreshed::Proven(key.hash(), claims.issued))
                }
                Some(claims) if claims.issued == note.challenged && now.since(note.proven) <= AGAIN => {
                    Change::Keep(Refreshed::Proven(key.hash(), claims.issued))
                }
                Some(_) | None => Change::Keep(Refreshed::Asked(key.hash())),
            }
        };
        Ok(self.note_device(session, WAIT, change).await?.unwrap_or(Refreshed::Gone))
    }
}
