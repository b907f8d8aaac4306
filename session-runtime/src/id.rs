//! Session ids, and the names under which a store and a log know them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The secret part of a token: 192 bits from the operating system's generator.
///
/// The first 128 bits select the record and stay for the session's life; the other 64 change with
/// every rotation, and the record holds a hash of the ones in force. So rotating is one conditional
/// update of one record, atomic on every backend, and a token from before it is dead.
///
/// Opaque: it is made by [`SessionId::random`] or read from a verified token, never from a string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionId {
    selector: [u8; 16],
    nonce: [u8; 8],
}

impl SessionId {
    pub(crate) const LEN: usize = 24;

    /// A fresh id.
    pub(crate) fn random() -> Self {
        Self { selector: random(), nonce: random() }
    }

    /// The id that follows this one at a rotation: the same record, another secret.
    pub(crate) fn rotated(self) -> Self {
        Self { nonce: random(), ..self }
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..16].copy_from_slice(&self.selector);
        bytes[16..].copy_from_slice(&self.nonce);
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let (mut selector, mut nonce) = ([0; 16], [0; 8]);
        selector.copy_from_slice(&bytes[..16]);
        nonce.copy_from_slice(&bytes[16..]);
        Self { selector, nonce }
    }

    /// The name of this session's record in a store.
    pub(crate) fn key(self, names: &RecordNames) -> RecordKey {
        RecordKey(names.0.clone().chain_update(self.selector).finalize().into())
    }

    /// What the record holds of the part that rotations change.
    pub(crate) fn id_hash(self) -> IdHash {
        let mut id_hash = [0; 16];
        id_hash.copy_from_slice(&hash("proof", &[&self.nonce])[..16]);
        IdHash(id_hash)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// What names the records of one session type: the state of the hash behind the purpose, which all of their names share.
#[derive(Clone)]
pub(crate) struct RecordNames(Sha256);

impl RecordNames {
    pub(crate) fn of(purpose: &str) -> Self {
        Self(hasher("record", &[purpose.as_bytes()]).chain_update([0]))
    }
}

/// A hash of the renewable part of an id, kept in the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdHash(pub(crate) [u8; 16]);

impl fmt::Debug for IdHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdHash(..)")
    }
}

/// What a record holds of its session type: several types may share a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypeTag(pub(crate) [u8; 8]);

impl TypeTag {
    pub(crate) fn of(purpose: &str) -> Self {
        let mut tag = [0; 8];
        tag.copy_from_slice(&hash("type", &[purpose.as_bytes()])[..8]);
        Self(tag)
    }
}

/// The name of a record in a store: a SHA-256 of the session's id, so that a dump of the store
/// holds nothing a client could send.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordKey([u8; 32]);

/// By what tables find sessions: with a seed of its own in each, since people may choose owners whose lists would come
/// together.
pub(crate) type RecordKeyHashes = hashbrown::DefaultHashBuilder;

impl Hash for RecordKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.folded());
    }
}

impl RecordKey {
    /// The 32 bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The four words of the name, which is hashed already, as one. All of them count: a test may make names that differ in a
    /// few bytes alone.
    pub(crate) fn folded(&self) -> u64 {
        let (words, _) = self.0.as_chunks();
        words.iter().fold(0, |folded: u64, word: &[u8; 8]| folded.rotate_left(17) ^ u64::from_le_bytes(*word))
    }

    /// A key of these bytes, for tests of a backend and for reading a store's index.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The name of the list of an owner's sessions.
    pub(crate) fn of_owner(purpose: &str, owner: &[u8]) -> Self {
        Self(hash("owner", &[purpose.as_bytes(), owner]))
    }

    /// Reads the text of [`Display`](fmt::Display).
    #[cfg(feature = "device-bound")]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // As it is written, and no longer: nothing is decoded for what can't be one.
        let bytes = (text.len() == 43).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// Appends the text of [`Display`](fmt::Display) to a name in a store, with no detour.
    pub(crate) fn push_to(&self, name: &mut String) {
        URL_SAFE_NO_PAD.encode_string(self.0, name);
    }

    /// The key that a store's name holds, as [`push_to`](Self::push_to) writes it.
    #[cfg(feature = "redis")]
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The name under which logs know this session.
    pub fn public_id(&self) -> PublicId {
        let mut public_id = [0; 9];
        public_id.copy_from_slice(&hash("public_id", &[&self.0])[..9]);
        PublicId(public_id)
    }
}

impl fmt::Display for RecordKey {
    /// 43 characters of unpadded URL-safe base64.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(43);
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordKey({}..)", self.public_id())
    }
}

/// A session's name for logs and screens: 12 characters, the same for the session's whole life on
/// every machine, of no use to a client and no key into the store.
///
/// A form or a path can carry it: it is written by `Display` and read by `FromStr`, by serde as a string.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicId([u8; 9]);

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicId {
    type Err = ParsePublicIdError;

    fn from_str(text: &str) -> Result<Self, ParsePublicIdError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ParsePublicIdError(()))?;
        Ok(Self(bytes.try_into().map_err(|_| ParsePublicIdError(()))?))
    }
}

impl Serialize for PublicId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What was read is no [`PublicId`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsePublicIdError(());

impl fmt::Display for ParsePublicIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the public_id of a session, which has 12 characters")
    }
}

impl std::error::Error for ParsePublicIdError {}

/// Domain-separated SHA-256; parts are joined by a zero byte.
fn hash(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    hasher(domain, parts).finalize().into()
}

fn hasher(domain: &str, parts: &[&[u8]]) -> Sha256 {
    let mut hasher = Sha256::new();
    hasher.update(b"session-runtime v1 ");
    hasher.update(domain);
    for part in parts {
        hasher.update([0]);
        hasher.update(part);
    }
    hasher
}

/// Eight bytes for one write, which no other has: each process counts from a number of its own.
pub(crate) fn unique_write() -> [u8; 8] {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(u64::from_be_bytes(random())));
    NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes()
}

/// Bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // A machine without a working generator can't make a safe id, and must not make another one.
    getrandom::fill(&mut bytes).expect("the operating system's random generator works");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher as _;

    #[test]
    fn a_million_ids_are_unique() {
        let ids: HashSet<[u8; SessionId::LEN]> = (0..1_000_000).map(|_| SessionId::random().to_bytes()).collect();
        assert_eq!(ids.len(), 1_000_000);
    }

    #[test]
    fn a_rotated_id_keeps_its_record_and_changes_its_proof() {
        let id = SessionId::random();
        let rotated = id.rotated();
        assert_eq!(id.key(&RecordNames::of("p")), rotated.key(&RecordNames::of("p")));
        assert_ne!(id.id_hash().0, rotated.id_hash().0);
        assert_ne!(id.to_bytes(), rotated.to_bytes());
    }

    #[test]
    fn names_that_differ_in_one_byte_have_places_of_their_own() {
        let hashes = RecordKeyHashes::default();
        let key = |at: usize| {
            let mut bytes = [0; 32];
            bytes[at] = 1;
            hashes.hash_one(RecordKey::from_bytes(bytes))
        };
        assert_eq!((0..32).map(key).collect::<HashSet<u64>>().len(), 32);
    }

    #[test]
    fn tables_of_two_stores_put_the_same_names_in_other_places() {
        let key = SessionId::random().key(&RecordNames::of("p"));
        let [one, other] = [RecordKeyHashes::default(), RecordKeyHashes::default()];
        assert_ne!(one.hash_one(key), other.hash_one(key));
        assert_eq!(one.hash_one(key), one.hash_one(RecordKey::from_bytes(*key.as_bytes())));
    }

    #[test]
    fn a_handle_is_read_as_it_was_written() {
        let public_id = SessionId::random().key(&RecordNames::of("p")).public_id();
        assert_eq!(public_id.to_string().parse(), Ok(public_id));
        let json = serde_json::to_string(&public_id).unwrap();
        assert_eq!((json.len(), serde_json::from_str(&json).unwrap()), (14, public_id));
        for wrong in ["", "a", "AAAAAAAAAAA", "AAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAA=", "AAAAAAAAAAA é"] {
            assert!(wrong.parse::<PublicId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_id_has_another_key_for_another_purpose() {
        let id = SessionId::random();
        assert_ne!(id.key(&RecordNames::of("users")), id.key(&RecordNames::of("carts")));
    }

    #[test]
    fn debug_and_display_show_no_secret() {
        let id = SessionId::random();
        let key = id.key(&RecordNames::of("p"));
        assert_eq!(format!("{id:?}"), "SessionId(..)");
        assert!(!format!("{key:?}").contains(&key.to_string()));
        assert_eq!(key.to_string().len(), 43);
        assert_eq!(key.public_id().to_string().len(), 12);
    }
}
