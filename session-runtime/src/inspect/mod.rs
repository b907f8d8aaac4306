//! What is in records and tokens, for tools that don't know the session's type, such as `session-admin`.
//!
//! Nothing here shows a secret: ids are named by their [`PublicId`], a hash, and of a session's data only its shape is told,
//! since which fields are secret is said by the type and not by the record.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use session_rules::cookie::{Cookie, normal};

use crate::backend::{PublicId, Record, RecordKey};
use crate::clock::Timestamp;
use crate::crypto::Keyring;
use crate::id::{RecordNames, TypeTag};
use crate::record::Envelope;
use crate::sessions::listed_keys;
use crate::token::Tokens;

/// What tells the sessions of a type from all others: its identity, and the name of its cookie.
///
/// ```
/// use session_runtime::inspect::Purpose;
/// let purpose = Purpose::new("shop/User", "__Host-user");
/// assert_eq!(purpose.to_string(), "shop/User/__Host-user");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose(String);

impl Purpose {
    /// That of the type with this identity ([`Scope::identity`](crate::backend::Scope::identity)) and this cookie.
    pub fn new(identity: &str, cookie: &str) -> Self {
        Self(format!("{identity}/{cookie}"))
    }

    /// That of the type with this identity and the cookie that a type of its name has unless it says otherwise.
    ///
    /// ```
    /// use session_runtime::inspect::Purpose;
    /// assert_eq!(Purpose::of_type("shop/accounts.SSOUser").to_string(), "shop/accounts.SSOUser/__Host-sso-user");
    /// ```
    pub fn of_type(identity: &str) -> Self {
        let name = identity.rsplit(['/', '.']).next().unwrap_or_default();
        Self::new(identity, &Cookie::for_type(name).name)
    }

    /// Whether a session is of this type; `false` if its record does not say whose it is.
    pub fn is_of(&self, session: &SessionRecord) -> bool {
        session.type_tag == Some(TypeTag::of(&self.0))
    }

    /// The name of the list of an owner's sessions. The owner is compact JSON, as `serde_json` writes the field marked
    /// `owner`: its members are in the order of the type.
    pub fn owner_list(&self, owner: &str) -> RecordKey {
        RecordKey::of_owner(&self.0, owner.as_bytes())
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a record is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Contents {
    /// A session.
    Session(Box<SessionRecord>),
    /// The list of an owner's sessions.
    OwnerList {
        /// The sessions, ended ones included.
        keys: Vec<RecordKey>,
        /// From when on it has all of the owner's sessions; `None` if it has them. Before, it lacks those that were not used
        /// since it was lost, or since the type has owners.
        whole_from: Option<SystemTime>,
    },
    /// Nothing that this version of the library writes.
    Unreadable,
}

/// What a record says, whether it has expired or not.
///
/// ```
/// use session_runtime::{Timestamp, backend::Record, inspect::{Contents, read}};
/// let (last_seen, expires) = (Timestamp::from_secs(1), Timestamp::from_secs(2));
/// let record = Record { version: 1, last_seen, expires, body: b"something else".as_slice().into() };
/// assert!(matches!(read(&record), Contents::Unreadable));
/// ```
pub fn read(record: &Record) -> Contents {
    // First, since the keys in a list are random bytes that look like a session's header now and then. A session is no list:
    // no bytes of it are ends of sessions that come before its own.
    if let Some((keys, whole_from)) = listed_keys(record) {
        return Contents::OwnerList { keys, whole_from: whole_from.map(SystemTime::from) };
    }
    let Some((envelope, payload)) = Envelope::read(&record.body) else { return Contents::Unreadable };
    let Envelope { meta, data_version, sealed, type_tag, .. } = envelope;
    let (mut label, mut shape) = (None, None);
    if !sealed {
        let payload = record.body.get(payload..).unwrap_or_default();
        let Some((found, data)) = Envelope::label(payload) else { return Contents::Unreadable };
        let Ok(data) = serde_json::from_slice(&payload[data..]) else { return Contents::Unreadable };
        label = found.map(|label| label.to_string());
        shape = Some(Shape::of(&data));
    }
    Contents::Session(Box::new(SessionRecord {
        created: meta.created,
        authenticated: meta.authenticated_at,
        rotated: meta.rotated,
        last_seen: record.last_seen,
        expires: record.expires,
        rotations: meta.generation,
        idle: meta.idle,
        device: meta.device.map(|note| (note.bound, note.proven)),
        version: record.version,
        data_version,
        sealed,
        label,
        shape,
        type_tag,
    }))
}

/// A session as its record tells it.
#[derive(Debug)]
pub struct SessionRecord {
    created: Timestamp,
    authenticated: Timestamp,
    rotated: Timestamp,
    last_seen: Timestamp,
    expires: Timestamp,
    rotations: u32,
    idle: Option<Duration>,
    /// When it was bound to a device, and when that last proved its key.
    device: Option<(Timestamp, Timestamp)>,
    version: u64,
    data_version: u32,
    sealed: bool,
    label: Option<String>,
    shape: Option<Shape>,
    type_tag: Option<TypeTag>,
}

impl SessionRecord {
    /// When it started.
    pub fn created_at(&self) -> SystemTime {
        self.created.into()
    }

    /// When the person last authenticated.
    pub fn authenticated_at(&self) -> SystemTime {
        self.authenticated.into()
    }

    /// When it got its present id.
    pub fn rotated_at(&self) -> SystemTime {
        self.rotated.into()
    }

    /// When it was last used, as far as the store has noted it.
    pub fn last_seen_at(&self) -> SystemTime {
        self.last_seen.into()
    }

    /// When it ends however much it is used.
    pub fn expires_at(&self) -> SystemTime {
        self.expires.into()
    }

    /// How often its id was rotated, other than on a schedule.
    pub fn rotations(&self) -> u32 {
        self.rotations
    }

    /// The idle timeout that its login gave it; otherwise it has that of its type, which no record says.
    pub fn idle(&self) -> Option<Duration> {
        self.idle
    }

    /// When it was bound to a device; `None` if it is not.
    pub fn device_bound_at(&self) -> Option<SystemTime> {
        self.device.map(|(bound, _)| bound.into())
    }

    /// When its device last proved its key, as far as the store has noted it; `None` if it is bound to none.
    pub fn device_proven_at(&self) -> Option<SystemTime> {
        self.device.map(|(_, proven)| proven.into())
    }

    /// 1 at the start, and one more with every write.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The version of its data.
    pub fn data_version(&self) -> u32 {
        self.data_version
    }

    /// Whether its label and data are sealed (`encrypt`), and so not told here.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// What the login called it. It came from outside, so a page or a terminal escapes it.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// What its data looks like; `None` if it is sealed.
    pub fn shape(&self) -> Option<&Shape> {
        self.shape.as_ref()
    }

    /// A hash of its type, in hexadecimal: the same for all sessions of a type. `None` in a record of a release that did not
    /// note it.
    pub fn type_hash(&self) -> Option<String> {
        let TypeTag(tag) = self.type_tag?;
        Some(tag.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What data looks like, without any value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    kind: &'static str,
    fields: Vec<(String, &'static str)>,
}

impl Shape {
    fn of(data: &Value) -> Self {
        let fields = match data {
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), kind(value))).collect(),
            _ => Vec::new(),
        };
        Self { kind: kind(data), fields }
    }

    /// `null`, `boolean`, `number`, `string`, `array` or `object`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The names of an object's fields, and the kind of each.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.fields.iter().map(|(name, kind)| (name.as_str(), *kind))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Signing keys, to read tokens with. Nothing prints them.
#[derive(Clone)]
pub struct Keys(Keyring);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The longest lifetime that a type may have.
const LONGEST: Duration = session_rules::time::MAX_LIFETIME;

impl Keys {
    /// Keys as the option `key` takes them: newest first, separated by commas.
    ///
    /// # Errors
    /// What is wrong, without repeating what was given.
    pub fn parse(keys: &str) -> Result<Self, String> {
        Keyring::parse(keys).map(Self)
    }

    /// What a token says, whether it has expired or not; `None` if none of the keys has signed it for this type and cookie.
    ///
    /// ```
    /// use session_runtime::inspect::{Keys, Purpose};
    /// let keys = Keys::parse(&session_runtime::generate_key())?;
    /// assert!(keys.decode(&Purpose::new("shop/User", "__Host-user"), "a forged token").is_none());
    /// # Ok::<(), String>(())
    /// ```
    pub fn decode(&self, purpose: &Purpose, token: &str) -> Option<TokenContents> {
        Self::read(&Tokens::new(&self.0, &purpose.0, LONGEST), purpose, token)
    }

    /// The same for a token of this domain, where each request's host chooses it (`cookie(domain = [..])`) and tokens are not
    /// good across domains.
    ///
    /// ```
    /// use session_runtime::inspect::{Keys, Purpose};
    /// let keys = Keys::parse(&session_runtime::generate_key())?;
    /// let purpose = Purpose::new("shop/User", "__Secure-user");
    /// assert!(keys.decode_at(&purpose, "shop-a.example", "a forged token").is_none());
    /// # Ok::<(), String>(())
    /// ```
    pub fn decode_at(&self, purpose: &Purpose, domain: &str, token: &str) -> Option<TokenContents> {
        Self::read(&Tokens::of_domain(&self.0, &purpose.0, &normal(domain), LONGEST), purpose, token)
    }

    fn read(tokens: &Tokens, purpose: &Purpose, token: &str) -> Option<TokenContents> {
        // As of the moment at which it was made, it is valid.
        let issued = Tokens::issued(token)?;
        let (claims, carried) = match tokens.open(token, issued) {
            Some(claims) => (claims, None),
            None => tokens.open_record(token, issued).map(|(claims, record)| (claims, Some(record)))?,
        };
        Some(TokenContents {
            key: claims.id.key(&RecordNames::of(&purpose.0)),
            id_hash: claims.id.id_hash(),
            issued: claims.issued,
            expires: claims.expires,
            idle: claims.idle,
            by_newest_key: !claims.retired_key,
            carried,
        })
    }
}

/// What a token says. It holds nothing by which the session could be used.
#[derive(Debug)]
pub struct TokenContents {
    key: RecordKey,
    id_hash: crate::id::IdHash,
    issued: Timestamp,
    expires: Timestamp,
    idle: Option<Duration>,
    by_newest_key: bool,
    carried: Option<Record>,
}

impl TokenContents {
    /// The name of its session.
    pub fn public_id(&self) -> PublicId {
        self.key.public_id()
    }

    /// What the session's record is stored under.
    pub fn record_key(&self) -> RecordKey {
        self.key
    }

    /// When the token was made.
    pub fn issued_at(&self) -> SystemTime {
        self.issued.into()
    }

    /// When its session ends however much it is used.
    pub fn expires_at(&self) -> SystemTime {
        self.expires.into()
    }

    /// The idle timeout that the login gave its session.
    pub fn idle(&self) -> Option<Duration> {
        self.idle
    }

    /// Whether the newest of the keys signed it, and not an older one.
    pub fn is_by_newest_key(&self) -> bool {
        self.by_newest_key
    }

    /// The session that it carries (`backend = cookie`).
    pub fn carried(&self) -> Option<Contents> {
        self.carried.as_ref().map(read)
    }

    /// Whether the record is of this token's session and has its id in force. After a rotation only the newer token has.
    pub fn is_in_force(&self, record: &Record) -> bool {
        Envelope::read(&record.body).is_some_and(|(envelope, _)| envelope.id_hash == self.id_hash)
    }
}

#[cfg(test)]
mod tests;
